/** The kubelet of a node, with the certificates a real one has. */
import { mkdir, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { NodeBinaries } from "../binaries.ts";
import type { Cluster } from "../cluster.ts";
import { writeKubeconfig } from "../kubeconfig.ts";
import { containerdSocket } from "./containerd.ts";
import type { Daemon, NodeNamespace } from "./node-namespace.ts";

export interface KubeletOptions {
  readonly cluster: Cluster;
  readonly name: string;
  readonly root: string;
  readonly port: number;
  readonly cgroup: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Where the node is, and where it finds the API server, when not on this machine. */
  readonly guest?: { readonly address: string; readonly server: string };
  /** Fields of KubeletConfiguration that a test wants otherwise. */
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** Writes what it needs into `root`; gives its arguments. */
export async function configureKubelet(options: KubeletOptions): Promise<readonly string[]> {
  const { cluster, name, root, port, cgroup, labels, guest, configuration } = options;
  const address = guest?.address ?? nodeAddress();
  const [identity, serving] = await Promise.all([
    cluster.issueCertificate(`kubelet-${name}`, { commonName: `system:node:${name}`, organization: "system:nodes" }),
    cluster.issueCertificate(`kubelet-serving-${name}`, { commonName: name, alternativeNames: [`IP:${address}`, `DNS:${name}`] }),
  ]);
  const kubeconfig = await writeKubeconfig(join(root, "kubelet.kubeconfig"), {
    server: guest?.server ?? cluster.serverUrl,
    certificateAuthority: cluster.caCertificate,
    client: identity,
  });
  const resolver = join(root, "resolv.conf");
  await writeFile(resolver, "");
  const podLogs = join(root, "pod-logs");
  await mkdir(podLogs, { recursive: true });
  const path = join(root, "kubelet.json");
  const config = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address,
    port,
    healthzPort: 0,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: cluster.caFile } },
    authorization: { mode: "Webhook" },
    tlsCertFile: serving.certificateFile,
    tlsPrivateKeyFile: serving.keyFile,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    resolvConf: resolver,
    podLogsDir: podLogs,
    maxPods: 30,
    // The machine's own disk and memory are not the tests' business.
    evictionHard: { "memory.available": "0%", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%" },
    imageGCHighThresholdPercent: 100,
    ...configuration,
  };
  await writeFile(path, JSON.stringify(config));
  const labelled = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return [
    `--config=${path}`,
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${name}`,
    `--node-ip=${address}`,
    ...(labelled.length === 0 ? [] : [`--node-labels=${labelled.join(",")}`]),
  ];
}

interface Start {
  readonly binaries: NodeBinaries;
  readonly namespace: NodeNamespace;
  readonly args: readonly string[];
  readonly logFile: string;
}

export function startKubelet({ binaries, namespace, args, logFile }: Start): Promise<Daemon> {
  return namespace.openDaemon({ command: [binaries.kubelet, ...args], logFile });
}

/** Resolves when the API server calls the node Ready. */
export async function waitUntilReady(cluster: Cluster, name: string, timeoutMs: number): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    for await (const { object } of cluster.api.watch(`/api/v1/nodes?fieldSelector=metadata.name=${name}`, signal)) {
      const status = object["status"] as { conditions?: { type: string; status: string }[] } | undefined;
      if (status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") === true) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  throw new Error(`node ${name} is not Ready after ${timeoutMs} ms`);
}

/** The kubelet takes no loopback address for its node's. */
function nodeAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    const found = addresses?.find(({ family, internal }) => family === "IPv4" && !internal);
    if (found !== undefined) return found.address;
  }
  throw new Error("this machine has no IPv4 address but loopback's, and a kubelet needs one");
}
