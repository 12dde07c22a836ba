/** A node with a kernel of its own, in QEMU: kubelet and containerd, and sticks that real drivers bind. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { builtCommand, getFromNode } from "../../lab/aerial-command.ts";
import { openGuestLab, type GuestLab } from "../../lab/guest-lab.ts";
import type { LabProcess } from "../../lab/lab.ts";
import { findNodeBinaries } from "../binaries.ts";
import type { Cluster } from "../cluster.ts";
import { aerialAccount } from "../install-base.ts";
import { configureContainerd, containerdCommand, containerdSocket, importImages } from "./containerd.ts";
import { writeImages } from "./images.ts";
import { configureKubelet, waitUntilReady } from "./kubelet.ts";
import { makeNodeDirectory, sweepNodes } from "./node-directory.ts";
import type { NodeAerial } from "./node-aerial.ts";

/** Of the guest in QEMU's user network; test/lab/guest/init.sh. */
const address = "10.0.2.15";
const cgroup = "/kubernetes";
const memoryMib = 3072;
/** Emulated it takes half a minute. */
const timeoutMs = 180_000;

/** Overlays cannot be above the guest's own overlay, and cgroup v2 hands a controller on only where it is told to. */
const preparation = `set -e
modprobe veth
for directory in containerd kubelet; do mkdir -p /var/lib/$directory; mount -t tmpfs tmpfs /var/lib/$directory; done
mount --make-rshared /
cd /sys/fs/cgroup
for controller in $(cat cgroup.controllers); do echo +$controller >cgroup.subtree_control; done
mkdir ${cgroup.slice(1)}`;

export interface GuestNodeOptions {
  readonly name: string;
  /** Fields of KubeletConfiguration other than these tests' usual ones. */
  readonly kubelet?: Readonly<Record<string, unknown>>;
  readonly log?: (line: string) => void;
}

export interface GuestNode extends AsyncDisposable {
  readonly name: string;
  /** Plugs sticks and runs commands; a tty of it gives back what is written to it. */
  readonly lab: GuestLab;
  /** Milliseconds from the call to Ready, the guest's boot included. */
  readonly readyInMs: number;
  restartKubelet(): Promise<void>;
  /** aerial's build, with the account of the base, which must be installed; its own tree and no re-rooting. */
  prepareAerial(environment?: Readonly<Record<string, string>>): Promise<NodeAerial>;
  /** What the containers `main` of a pod have written, those that have ended included. */
  podLog(pod: string): Promise<string>;
  /** The ends of the kubelet's and containerd's logs, for when something went wrong. */
  logs(): string;
}

/** Boots the guest and starts the node; a minute where it is emulated. The API server cannot reach it: no logs, no exec. */
export async function openGuestNode(
  cluster: Cluster,
  { name, kubelet: configuration = {}, log = () => {} }: GuestNodeOptions,
): Promise<GuestNode> {
  const startedAt = performance.now();
  const binaries = await findNodeBinaries();
  await sweepNodes();
  await using opening = new AsyncDisposableStack();
  const root = await makeNodeDirectory();
  opening.defer(() => rm(root, { recursive: true, force: true }));
  // Before it boots: the guest shows this machine's files as they were when it first looked.
  const server = `https://10.0.2.2:${cluster.port}`;
  const guest = { address, server };
  const containerdConfiguration = await configureContainerd({ binaries, root, podSubnet: "10.88.1.0/24" });
  const args = await configureKubelet({ cluster, name, root, port: 10_250, cgroup, labels: {}, guest, configuration });
  const images = join(root, "images.tar");
  await writeImages(binaries.busybox, images);

  const lab = opening.use(await openGuestLab({ memoryMib, log }));
  const prepared = await lab.run(["sh", "-c", preparation]);
  if (prepared.exitCode !== 0) throw new Error(`preparing the guest failed: ${prepared.stderr}`);
  const containerd = await lab.start(containerdCommand(binaries, containerdConfiguration));
  await untilAnswers(lab, binaries.ctr);
  await importImages(lab, binaries.ctr, images);
  let kubelet: LabProcess = await lab.start([binaries.kubelet, ...args]);
  const logs = (): string => `${kubelet.output.slice(-4_000)}\n\n${containerd.output.slice(-4_000)}`;
  try {
    await waitUntilReady(cluster, name, timeoutMs);
  } catch (error) {
    throw new Error(`${String(error)}\n${logs()}`, { cause: error });
  }
  log(`node ${name} is Ready`);

  const lifetime = opening.move();
  return {
    name,
    lab,
    readyInMs: Math.round(performance.now() - startedAt),
    async restartKubelet() {
      await kubelet.kill("SIGTERM");
      await kubelet.exited;
      kubelet = await lab.start([binaries.kubelet, ...args]);
    },
    async prepareAerial(environment = {}) {
      const kubeconfig = "/run/aerial.kubeconfig";
      const account = { ...aerialAccount, node: name, server };
      await lab.writeFile(kubeconfig, await readFile(await cluster.serviceAccountKubeconfig(account)), { mode: 0o600 });
      const command = await builtCommand();
      const settings = {
        AERIAL__NODE__NAME: name,
        AERIAL__KUBERNETES__KUBECONFIG: kubeconfig,
        AERIAL__STATE__DIRECTORY: "/run/aerial-state",
        AERIAL__LOG__FORMAT: "json",
        ...environment,
      };
      return {
        async start() {
          const daemon = await lab.start([...command, "run"], { environment: settings });
          await daemon.waitForLine(/aerial is up/u, timeoutMs);
          return daemon;
        },
        cli: (...parameters) => lab.run([...command, ...parameters], { environment: settings, timeoutMs }),
        get: async <Answer>(path: string) => (await getFromNode(lab, "/run/aerial/aerial.sock", path)) as Answer,
      };
    },
    podLog: async (pod) => (await lab.run(["sh", "-c", `cat ${root}/pod-logs/*_${pod}_*/main/*.log`])).stdout,
    logs,
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

async function untilAnswers(lab: GuestLab, ctr: string): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { exitCode, stderr } = await lab.run([ctr, "--address", containerdSocket, "version"]);
    if (exitCode === 0) return;
    if (Date.now() > deadline) throw new Error(`containerd does not answer in the guest: ${stderr}`);
    await sleep(200);
  }
}
