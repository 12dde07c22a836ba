/** kube-apiserver for one test cluster, set up as Talos sets it up where it matters to aerial. */
import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createApiClient, type ApiClient } from "./api-client.ts";
import { auditPolicy } from "./audit.ts";
import { createCertificateAuthority, type Certificate, type CertificateAuthority } from "./certificates.ts";
import { openChild, whenReady, type Child } from "./child.ts";
import { withFreePort } from "./free-port.ts";

const startDeadlineMs = 60_000;

/** 10.0.2.2 is this machine's loopback as a QEMU guest with user-mode networking sees it. */
const servingNames = ["IP:127.0.0.1", "IP:10.0.2.2", "DNS:localhost", "DNS:kubernetes.default.svc"];

/** Talos' default: namespaces enforce the baseline Pod Security Standard unless labelled otherwise, kube-system excepted. */
const admission = {
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AdmissionConfiguration",
  plugins: [
    {
      name: "PodSecurity",
      configuration: {
        apiVersion: "pod-security.admission.config.k8s.io/v1",
        kind: "PodSecurityConfiguration",
        defaults: { enforce: "baseline", "enforce-version": "latest" },
        exemptions: { namespaces: ["kube-system"] },
      },
    },
  ],
};

export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Signs everybody's certificates: the server's own, clients', kubelets'. */
  readonly authority: CertificateAuthority;
  /** Client certificate of a member of system:masters. */
  readonly admin: Certificate;
  readonly auditFile: string;
  /** A client with the admin's rights. */
  readonly api: ApiClient;
  /** Stops answering without closing anything (SIGSTOP), as on a frozen or overloaded machine. */
  pause(): void;
  resume(): void;
  /** Kills it: connections break, the port refuses. */
  stop(): Promise<void>;
  /** Starts it again on the same port with the same data, keys and certificates. */
  start(): Promise<void>;
}

export interface ApiServerOptions {
  readonly binary: string;
  readonly etcdUrl: string;
  /** For keys, configuration and logs. */
  readonly directory: string;
}

/** Starts kube-apiserver on a free loopback port and waits until it is ready, RBAC bootstrap included. */
export async function openApiServer({ binary, etcdUrl, directory }: ApiServerOptions): Promise<ApiServer> {
  const authority = await createCertificateAuthority(directory);
  const [serving, admin] = await Promise.all([
    authority.issue("kube-apiserver", { commonName: "kube-apiserver", alternativeNames: servingNames }),
    authority.issue("admin", { commonName: "admin", organization: "system:masters" }),
  ]);
  const file = async (name: string, contents: unknown) => {
    const path = join(directory, name);
    await writeFile(path, typeof contents === "string" ? contents : JSON.stringify(contents), { mode: 0o600 });
    return path;
  };
  const accountKey = await file("service-accounts.key", createAccountKey());
  const admissionFile = await file("admission.json", admission);
  const policyFile = await file("audit-policy.json", auditPolicy);
  const auditFile = await file("audit.log", "");

  const launch = async (port: number): Promise<Child> => {
    const child = await openChild({
      command: binary,
      logFile: join(directory, "kube-apiserver.log"),
      args: [
        `--etcd-servers=${etcdUrl}`,
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        `--secure-port=${port}`,
        // Endpoints of the `kubernetes` Service must not be loopback, and nobody needs them here.
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        `--tls-cert-file=${serving.certificateFile}`,
        `--tls-private-key-file=${serving.keyFile}`,
        `--client-ca-file=${authority.certificateFile}`,
        // For logs and exec; members of system:masters may do all there is at a kubelet too.
        `--kubelet-client-certificate=${admin.certificateFile}`,
        `--kubelet-client-key=${admin.keyFile}`,
        `--kubelet-certificate-authority=${authority.certificateFile}`,
        "--kubelet-preferred-address-types=InternalIP",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        `--admission-control-config-file=${admissionFile}`,
        "--service-account-issuer=https://kubernetes.default.svc",
        `--service-account-key-file=${accountKey}`,
        `--service-account-signing-key-file=${accountKey}`,
        `--audit-policy-file=${policyFile}`,
        `--audit-log-path=${auditFile}`,
        // One file, never rotated: audit.ts reads it whole.
        "--audit-log-maxsize=0",
      ],
    });
    const api = createApiClient(`https://127.0.0.1:${port}`, authority.certificate, { client: admin });
    try {
      await whenReady(child, async () => (await api.request("/readyz")).status === 200, startDeadlineMs);
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
    return child;
  };

  const { port, first } = await withFreePort(async (port) => ({ port, first: await launch(port) }));
  let child = first;
  const url = `https://127.0.0.1:${port}`;
  return {
    url,
    port,
    authority,
    admin,
    auditFile,
    api: createApiClient(url, authority.certificate, { client: admin }),
    pause: () => child.signal("SIGSTOP"),
    resume: () => child.signal("SIGCONT"),
    async stop() {
      await child[Symbol.asyncDispose]();
    },
    async start() {
      child = await launch(port);
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** PEM of the key that signs service account tokens. */
function createAccountKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "sec1", format: "pem" }).toString();
}
