/**
 * The programs of a Kubernetes cluster for tests. Run as a program it builds what is missing, once, into
 * `${XDG_CACHE_HOME:-~/.cache}/aerial/`: `node --conditions=source test/cluster/binaries.ts`.
 */
import { delimiter, join } from "node:path";
import { buildPrograms, cacheDirectory, isExecutable, type GoPrograms } from "./go-build.ts";

const buildCommand = "node --conditions=source test/cluster/binaries.ts";
const packagesCommand = "scripts/install-test-packages";

const kubernetes: GoPrograms = {
  name: "kubernetes",
  goModule: join(import.meta.dirname, "binaries"),
  module: "k8s.io/kubernetes",
  programs: ["kube-apiserver", "kubectl", "kubelet", "kube-scheduler", "kube-controller-manager"],
  // Without these the server calls itself v0.0.0-master.
  stamps(version) {
    const [major = "", minor = ""] = version.slice(1).split(".");
    const stamps = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
    return Object.fromEntries(Object.entries(stamps).map(([key, value]) => [`k8s.io/component-base/version.${key}`, value]));
  },
  duration: "ten to fifteen minutes on two cores",
};

/** Debian 12's containerd is 1.6, which knows no CDI. */
const containerd: GoPrograms = {
  name: "containerd",
  goModule: join(import.meta.dirname, "containerd"),
  module: "github.com/containerd/containerd/v2",
  programs: ["containerd", "containerd-shim-runc-v2", "ctr"],
  flags: ["-tags=no_btrfs,no_devmapper,no_zfs"],
  stamps: (version) => ({ "github.com/containerd/containerd/v2/version.Version": version }),
  environment: { CGO_ENABLED: "0" },
  duration: "one to two minutes on two cores",
};

export interface Binaries {
  readonly kubeApiServer: string;
  readonly kubectl: string;
  readonly etcd: string;
}

/** What runs pods: the rest of the control plane, and a node. */
export interface NodeBinaries {
  readonly kubelet: string;
  readonly kubeScheduler: string;
  readonly kubeControllerManager: string;
  readonly containerd: string;
  /** Beside containerd, which looks for its shim on PATH. */
  readonly containerdShim: string;
  readonly ctr: string;
  readonly runc: string;
  /** Linked statically: the whole of an image. */
  readonly busybox: string;
  /** Directory of the CNI plugins. */
  readonly networkPlugins: string;
}

/**
 * Paths of the API server's programs: from `KUBEBUILDER_ASSETS` when it is set (envtest's convention), else from the
 * cache, and etcd from `PATH`. Throws with the command to run when one is missing; never builds.
 */
export async function findBinaries(environment: NodeJS.ProcessEnv = process.env): Promise<Binaries> {
  const assets = environment["KUBEBUILDER_ASSETS"];
  const directory = assets ?? (await cacheDirectory(kubernetes, environment));
  const source =
    assets === undefined ? `build it with: ${buildCommand}` : "KUBEBUILDER_ASSETS should hold kube-apiserver, kubectl and etcd";
  return {
    kubeApiServer: await need("kube-apiserver", [directory], source),
    kubectl: await need("kubectl", [directory], source),
    etcd: await need(
      "etcd",
      assets === undefined ? searchPath(environment) : [directory],
      assets === undefined ? "install it with: apt-get install etcd-server" : source,
    ),
  };
}

/** Paths of a node's programs: from the cache and from Debian's packages. Throws like `findBinaries`. */
export async function findNodeBinaries(environment: NodeJS.ProcessEnv = process.env): Promise<NodeBinaries> {
  const ours = [await cacheDirectory(kubernetes, environment)];
  const runtime = [await cacheDirectory(containerd, environment)];
  const build = `build it with: ${buildCommand}`;
  const install = `install it with: ${packagesCommand}`;
  const networkPlugins = "/usr/lib/cni";
  await need("ptp", [networkPlugins], install);
  return {
    kubelet: await need("kubelet", ours, build),
    kubeScheduler: await need("kube-scheduler", ours, build),
    kubeControllerManager: await need("kube-controller-manager", ours, build),
    containerd: await need("containerd", runtime, build),
    containerdShim: await need("containerd-shim-runc-v2", runtime, build),
    ctr: await need("ctr", runtime, build),
    runc: await need("runc", ["/usr/sbin", ...searchPath(environment)], install),
    busybox: await need("busybox", ["/usr/bin", "/bin"], install),
    networkPlugins,
  };
}

/** Builds the programs that are not in the cache yet and says how far it is. Minutes the first time. */
export async function buildBinaries(report: (line: string) => void, environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  await buildPrograms(kubernetes, report, environment);
  await buildPrograms(containerd, report, environment);
}

function searchPath(environment: NodeJS.ProcessEnv): string[] {
  return (environment["PATH"] ?? "").split(delimiter);
}

async function need(name: string, directories: readonly string[], remedy: string): Promise<string> {
  for (const directory of directories) {
    const path = join(directory, name);
    if (directory !== "" && (await isExecutable(path))) return path;
  }
  throw new Error(`${name} is not in ${directories.join(", ")}; ${remedy}`);
}

if (import.meta.main) {
  try {
    await buildBinaries((line) => console.error(line));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 69;
  }
}
