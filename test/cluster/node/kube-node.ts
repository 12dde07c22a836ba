/** A real node for tests: kubelet, containerd and runc in mount and process namespaces of their own, on this machine's kernel. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { findNodeBinaries } from "../binaries.ts";
import type { Cluster } from "../cluster.ts";
import { withFreePort } from "../free-port.ts";
import { openCgroups } from "./cgroups.ts";
import { configureContainerd, importImages, startContainerd } from "./containerd.ts";
import { writeImages } from "./images.ts";
import { configureKubelet, startKubelet, waitUntilReady } from "./kubelet.ts";
import { openNodeRadios, type NodeRadios } from "./node-radios.ts";
import { makeNodeDirectory, nodeResourceName, sweepNodes } from "./node-directory.ts";
import { openNodeNamespace, type Daemon, type NodeNamespace } from "./node-namespace.ts";

const readyTimeoutMs = 120_000;
const logLines = 40;

export interface KubeNodeOptions {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Fields of KubeletConfiguration other than these tests' usual ones. */
  readonly kubelet?: Readonly<Record<string, unknown>>;
  /** Called with one line a step. */
  readonly report?: (line: string) => void;
}

/** Where the node's files are on this machine; the node sees them below `/`. */
interface NodePaths {
  /** All of its files, logs and configuration among them. */
  readonly root: string;
  /** Its `/dev`. */
  readonly dev: string;
  /** A made-up sysfs, to be given to aerial as `AERIAL__HOST__SYS`; the node's `/sys` is this machine's. */
  readonly sys: string;
  /** Its `/run`, which `/var/run` links to. */
  readonly run: string;
  /** Its `/var/run/cdi`. */
  readonly cdi: string;
  /** Its `/var/lib/kubelet`, with `device-plugins` and `plugins_registry`. */
  readonly kubelet: string;
}

export interface KubeNode extends AsyncDisposable, Pick<NodeNamespace, "run" | "start">, NodeRadios {
  readonly name: string;
  readonly paths: NodePaths;
  /** Its pods' and its own, in every hierarchy of /sys/fs/cgroup. */
  readonly cgroup: string;
  /** Milliseconds from the call to Ready. */
  readonly readyInMs: number;
  /** Sends a signal to the kubelet; resolves when it has ended, for SIGKILL and SIGTERM. */
  killKubelet(signal?: NodeJS.Signals): Promise<void>;
  startKubelet(): Promise<void>;
  restartKubelet(): Promise<void>;
  /** Kills containerd; containers go on. */
  stopContainerd(): Promise<void>;
  startContainerd(): Promise<void>;
  /**
   * As pulling the plug and booting again: every process of the node is killed, `/run` is empty, and what is in `/var/lib`
   * and the radios stay. `whileDown` is called in between. Resolves when the kubelet runs again, before it is Ready.
   */
  reboot(whileDown?: () => Promise<void>): Promise<void>;
  /** Imports images for pods, from an archive in OCI's or Docker's layout. */
  importImages(archive: string): Promise<void>;
  /** The ends of the kubelet's and containerd's logs, for when something went wrong. */
  logs(): Promise<string>;
}

let opened = 0;

/**
 * Starts a node and waits until it is Ready. Several can run at once. Nothing of it survives disposing but what a pod
 * wrote elsewhere; when this process is killed, all processes and mounts go with it and the next node sweeps up the rest.
 */
export async function openKubeNode(cluster: Cluster, options: KubeNodeOptions): Promise<KubeNode> {
  const { name, labels = {}, kubelet: configuration = {}, report = () => {} } = options;
  if (process.getuid?.() !== 0) throw new Error("a node needs root: the kubelet and runc make cgroups, mounts and device nodes");
  const startedAt = performance.now();
  const number = ++opened;
  const binaries = await findNodeBinaries();
  await sweepNodes();
  await using opening = new AsyncDisposableStack();
  const root = await makeNodeDirectory();
  opening.defer(() => rm(root, { recursive: true, force: true }));
  const cgroups = opening.use(await openCgroups(nodeResourceName(number)));
  const paths: NodePaths = {
    root,
    dev: join(root, "dev"),
    sys: join(root, "sys"),
    run: join(root, "run"),
    cdi: join(root, "run/cdi"),
    kubelet: join(root, "kubelet"),
  };
  for (const path of [paths.dev, paths.sys, paths.run]) await mkdir(path, { recursive: true });
  await promisify(execFile)("cp", ["-ax", "/dev/.", paths.dev]);
  const radios = opening.use(openNodeRadios(root));

  const containerdConfiguration = await configureContainerd({ binaries, root, podSubnet: podSubnet(number) });
  const port = await withFreePort(async (free) => free);
  const args = await configureKubelet({ cluster, name, root, port, cgroup: cgroups.path, labels, configuration });
  const images = join(root, "images.tar");
  await writeImages(binaries.busybox, images);

  const [kubeletLog, containerdLog] = [join(root, "kubelet.log"), join(root, "containerd.log")];
  const logs = async (): Promise<string> => {
    const end = async (path: string): Promise<string> => {
      const lines = (await readFile(path, "utf8").catch(() => "none")).trimEnd().split("\n");
      return `${path}:\n${lines.slice(-logLines).join("\n")}`;
    };
    return [await end(kubeletLog), await end(containerdLog)].join("\n\n");
  };

  report("starting the namespaces");
  let namespace = await openNodeNamespace(root);
  opening.defer(() => namespace[Symbol.asyncDispose]());
  let kubelet: Daemon | undefined;
  let containerd: Daemon | undefined;
  const runContainerd = async (): Promise<void> => {
    containerd = await startContainerd({ binaries, namespace, configuration: containerdConfiguration, logFile: containerdLog });
  };
  const runKubelet = async (): Promise<void> => {
    kubelet = await startKubelet({ binaries, namespace, args, logFile: kubeletLog });
  };
  report("starting containerd");
  await runContainerd();
  await importImages(namespace, binaries.ctr, images);
  report("starting the kubelet");
  await runKubelet();
  try {
    await waitUntilReady(cluster, name, readyTimeoutMs);
  } catch (error) {
    throw new Error(`${String(error)}\n${await logs()}`, { cause: error });
  }
  report("ready");

  const lifetime = opening.move();
  const killKubelet = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    kubelet?.signal(signal);
    if (signal === "SIGKILL" || signal === "SIGTERM") await kubelet?.child.exited;
  };
  return {
    name,
    paths,
    cgroup: cgroups.path,
    ...radios,
    readyInMs: Math.round(performance.now() - startedAt),
    run: (command, given) => namespace.run(command, given),
    start: (command, given) => namespace.start(command, given),
    killKubelet,
    startKubelet: runKubelet,
    async restartKubelet() {
      await killKubelet("SIGTERM");
      await runKubelet();
    },
    async stopContainerd() {
      await containerd?.[Symbol.asyncDispose]();
    },
    startContainerd: runContainerd,
    async reboot(whileDown = async () => {}) {
      await namespace[Symbol.asyncDispose]();
      // What is left of dead pods there costs the kubelet seconds each.
      await cgroups.renew();
      await rm(paths.run, { recursive: true });
      await mkdir(paths.run);
      await whileDown();
      namespace = await openNodeNamespace(root);
      await runContainerd();
      await runKubelet();
    },
    importImages: (archive) => importImages(namespace, binaries.ctr, archive),
    logs,
    [Symbol.asyncDispose]: () => lifetime.disposeAsync(),
  };
}

/** Of 10.88.0.0/13, apart for the nodes of one process and, mostly, for those of two. */
function podSubnet(number: number): string {
  return `10.${88 + (number % 8)}.${process.pid % 256}.0/24`;
}
