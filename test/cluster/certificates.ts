/** A certificate authority that lives as long as one test cluster. Needs openssl 3. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const validDays = "2";

/** Paths and PEM texts of a certificate and its key. */
export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificate: string;
  readonly key: string;
}

interface CertificateRequest {
  /** Kubernetes takes it for the user name. */
  readonly commonName: string;
  /** Kubernetes takes it for the group. */
  readonly organization?: string;
  /** Such as `IP:127.0.0.1` or `DNS:localhost`. */
  readonly alternativeNames?: readonly string[];
}

export interface CertificateAuthority {
  readonly certificateFile: string;
  readonly certificate: string;
  /** Issues `<name>.crt` and `<name>.key` beside the authority's own. */
  issue(name: string, request: CertificateRequest): Promise<Certificate>;
}

/** Makes a new authority in `directory`. */
export async function createCertificateAuthority(directory: string): Promise<CertificateAuthority> {
  const authority = await create(directory, "ca", ["-subj", "/CN=aerial test cluster", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]);
  return {
    certificateFile: authority.certificateFile,
    certificate: authority.certificate,
    issue(name, { commonName, organization, alternativeNames = [] }) {
      const subject = `${organization === undefined ? "" : `/O=${organization}`}/CN=${commonName}`;
      const extensions = [
        "basicConstraints=critical,CA:FALSE",
        "extendedKeyUsage=serverAuth,clientAuth",
        ...(alternativeNames.length === 0 ? [] : [`subjectAltName=${alternativeNames.join(",")}`]),
      ];
      const signedBy = ["-CA", authority.certificateFile, "-CAkey", authority.keyFile];
      return create(directory, name, ["-subj", subject, ...signedBy, ...extensions.flatMap((extension) => ["-addext", extension])]);
    },
  };
}

async function create(directory: string, name: string, args: readonly string[]): Promise<Certificate> {
  const certificateFile = join(directory, `${name}.crt`);
  const keyFile = join(directory, `${name}.key`);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile];
  await run("openssl", ["req", "-x509", ...key, "-days", validDays, "-out", certificateFile, ...args]);
  return { certificateFile, keyFile, certificate: await readFile(certificateFile, "utf8"), key: await readFile(keyFile, "utf8") };
}
