/** containerd on a node: its configuration, and images put into it. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { NodeBinaries } from "../binaries.ts";
import { whenReady } from "../child.ts";
import { pauseImage } from "./images.ts";
import type { Daemon, NodeNamespace } from "./node-namespace.ts";

/** As the node sees it. */
export const containerdSocket = "/run/containerd/containerd.sock";

const readyTimeoutMs = 60_000;

export interface ContainerdOptions {
  readonly binaries: NodeBinaries;
  /** The node's own files on this machine. */
  readonly root: string;
  /** Of the node's pods: `10.88.1.0/24`. */
  readonly podSubnet: string;
}

/** Writes its configuration; survives reboots. Gives the path. */
export async function configureContainerd({ binaries, root, podSubnet }: ContainerdOptions): Promise<string> {
  const networks = join(root, "networks");
  await mkdir(networks, { recursive: true });
  // A veth pair a pod, with the node at the other end; forwarding nowhere.
  const network = {
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "ptp",
        ipam: { type: "host-local", dataDir: "/run/cni", ranges: [[{ subnet: podSubnet }]], routes: [{ dst: "0.0.0.0/0" }] },
      },
    ],
  };
  await writeFile(join(networks, "10-pods.conflist"), JSON.stringify(network));
  // Nothing is ever pulled: every registry is a port of this machine at which nobody listens.
  const registries = join(root, "registries");
  await mkdir(join(registries, "_default"), { recursive: true });
  await writeFile(join(registries, "_default/hosts.toml"), 'server = "http://127.0.0.1:9"\n');
  const path = join(root, "containerd.toml");
  await writeFile(
    path,
    `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.erofs", "io.containerd.nri.v1.nri"]

[grpc]
address = "${containerdSocket}"

[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "${pauseImage}"
[plugins."io.containerd.cri.v1.images".registry]
config_path = "${registries}"

[plugins."io.containerd.cri.v1.runtime"]
# As far as this machine lets its root go: it may be without CAP_SYS_RESOURCE.
restrict_oom_score_adj = true
enable_cdi = true
cdi_spec_dirs = ["/etc/cdi", "/var/run/cdi"]
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["${binaries.networkPlugins}"]
conf_dir = "${networks}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "${binaries.runc}"
SystemdCgroup = false
`,
  );
  return path;
}

interface Start {
  readonly binaries: NodeBinaries;
  readonly namespace: NodeNamespace;
  readonly configuration: string;
  readonly logFile: string;
}

/** With the shim and runc on its PATH. */
export function containerdCommand(binaries: NodeBinaries, configuration: string): readonly string[] {
  const path = [dirname(binaries.containerdShim), dirname(binaries.runc), process.env["PATH"] ?? ""].join(":");
  return ["env", `PATH=${path}`, binaries.containerd, "--config", configuration];
}

/** Starts it and waits until it answers. Its containers outlive it, and it finds them again. */
export async function startContainerd({ binaries, namespace, configuration, logFile }: Start): Promise<Daemon> {
  const daemon = await namespace.openDaemon({ command: containerdCommand(binaries, configuration), logFile });
  const answers = async (): Promise<boolean> =>
    (await namespace.run([binaries.ctr, "--address", containerdSocket, "version"])).exitCode === 0;
  try {
    await whenReady(daemon.child, answers, readyTimeoutMs);
    return daemon;
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
}

/** Imports an archive in OCI's or Docker's layout for the kubelet. */
export async function importImages(namespace: Pick<NodeNamespace, "run">, ctr: string, archive: string): Promise<void> {
  const { exitCode, stderr } = await namespace.run([
    ctr,
    "--address",
    containerdSocket,
    "--namespace",
    "k8s.io",
    "images",
    "import",
    archive,
  ]);
  if (exitCode !== 0) throw new Error(`ctr images import ${archive} (${exitCode}): ${stderr}`);
}
