/** Kubeconfig files for tests: one cluster, one user, everything inline. */
import { writeFile } from "node:fs/promises";

export interface KubeconfigContents {
  /** Such as `https://127.0.0.1:6443`. */
  readonly server: string;
  /** PEM; absent for plain HTTP. */
  readonly certificateAuthority?: string;
  /** Name the server's certificate is checked against, when it is not the one in `server`. */
  readonly tlsServerName?: string;
  readonly token?: string;
  /** PEM pair of a client certificate. */
  readonly client?: { readonly certificate: string; readonly key: string };
}

/** Writes a kubeconfig readable by its owner only and gives its path back. JSON, which is YAML too. */
export async function writeKubeconfig(path: string, contents: KubeconfigContents): Promise<string> {
  const { server, certificateAuthority, tlsServerName, token, client } = contents;
  const name = "test";
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: {
          server,
          ...(certificateAuthority === undefined ? {} : { "certificate-authority-data": base64(certificateAuthority) }),
          ...(tlsServerName === undefined ? {} : { "tls-server-name": tlsServerName }),
        },
      },
    ],
    users: [
      {
        name,
        user: {
          ...(token === undefined ? {} : { token }),
          ...(client === undefined ? {} : { "client-certificate-data": base64(client.certificate), "client-key-data": base64(client.key) }),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  await writeFile(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return path;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
