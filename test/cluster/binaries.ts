/**
 * The programs of a Kubernetes control plane for tests. Run as a program it builds what is missing, once, into
 * `${XDG_CACHE_HOME:-~/.cache}/aerial/kubernetes-<version>/`: `node --conditions=source test/cluster/binaries.ts`.
 */
import { spawn } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** The pinned Go module that names the Kubernetes version and, in go.sum, the bytes it is built from. */
const goModule = join(import.meta.dirname, "binaries");
const built = ["kube-apiserver", "kubectl"] as const;
const buildCommand = "node --conditions=source test/cluster/binaries.ts";
const progressEveryMs = 15_000;

export interface Binaries {
  readonly kubeApiServer: string;
  readonly kubectl: string;
  readonly etcd: string;
}

/**
 * Paths of the programs: from `KUBEBUILDER_ASSETS` when it is set (envtest's convention), else from the cache, and
 * etcd from `PATH`. Throws with the command to run when one is missing; never builds.
 */
export async function findBinaries(environment: NodeJS.ProcessEnv = process.env): Promise<Binaries> {
  const assets = environment["KUBEBUILDER_ASSETS"];
  const directory = assets ?? cacheDirectory(await kubernetesVersion(), environment);
  const source =
    assets === undefined ? `build it with: ${buildCommand}` : "KUBEBUILDER_ASSETS should hold kube-apiserver, kubectl and etcd";
  return {
    kubeApiServer: await need("kube-apiserver", [directory], source),
    kubectl: await need("kubectl", [directory], source),
    etcd: await need(
      "etcd",
      assets === undefined ? (environment["PATH"] ?? "").split(delimiter) : [directory],
      assets === undefined ? "install it with: apt-get install etcd-server" : source,
    ),
  };
}

/** Builds the programs that are not in the cache yet and says how far it is. Minutes the first time. */
export async function buildBinaries(report: (line: string) => void, environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const version = await kubernetesVersion();
  const directory = cacheDirectory(version, environment);
  const missing: string[] = [];
  for (const name of built) if (!(await isExecutable(join(directory, name)))) missing.push(name);
  if (missing.length === 0) {
    report(`Kubernetes ${version} for tests: in ${directory}`);
    return;
  }
  report(`building ${missing.join(" and ")} ${version} from source into ${directory} (once; five to ten minutes on two cores)`);
  await mkdir(directory, { recursive: true });
  // In a directory beside the finished ones, so that renaming is atomic and half a build is never found.
  const scratch = await mkdtemp(join(directory, ".build-"));
  try {
    await goBuild({ packages: missing.map((name) => `k8s.io/kubernetes/cmd/${name}`), output: scratch, version, report });
    for (const name of missing) await rename(join(scratch, name), join(directory, name));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The version in go.mod, such as `v1.36.1`. */
async function kubernetesVersion(): Promise<string> {
  const text = await readFile(join(goModule, "go.mod"), "utf8");
  const version = /^\s*k8s\.io\/kubernetes (v\S+)/m.exec(text)?.[1];
  if (version === undefined) throw new Error(`${goModule}/go.mod names no version of k8s.io/kubernetes`);
  return version;
}

function cacheDirectory(version: string, environment: NodeJS.ProcessEnv): string {
  const cache = environment["XDG_CACHE_HOME"];
  return join(cache === undefined || cache === "" ? join(homedir(), ".cache") : cache, "aerial", `kubernetes-${version.slice(1)}`);
}

async function need(name: string, directories: readonly string[], remedy: string): Promise<string> {
  for (const directory of directories) {
    const path = join(directory, name);
    if (directory !== "" && (await isExecutable(path))) return path;
  }
  throw new Error(`${name} is not in ${directories.join(", ")}; ${remedy}`);
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

interface GoBuild {
  readonly packages: readonly string[];
  readonly output: string;
  readonly version: string;
  readonly report: (line: string) => void;
}

async function goBuild({ packages, output, version, report }: GoBuild): Promise<void> {
  const [major = "", minor = ""] = version.slice(1).split(".");
  // Without these the server calls itself v0.0.0-master, and clients and feature gates compare versions.
  const stamps = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  const ldflags = ["-s", "-w", ...Object.entries(stamps).map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`)];
  const args = ["build", "-v", "-trimpath", `-ldflags=${ldflags.join(" ")}`, "-o", `${output}/`, ...packages];
  const child = spawn("go", args, { cwd: goModule, stdio: ["ignore", "inherit", "pipe"] });

  const startedAt = Date.now();
  const lastLines: string[] = [];
  let compiled = 0;
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) compiled++;
    else lastLines.push(line);
  });
  const progress = setInterval(() => report(`  ${compiled} packages in ${Math.round((Date.now() - startedAt) / 1000)} s`), progressEveryMs);
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (exitCode !== 0) throw new Error(`go build ended with ${exitCode}:\n${lastLines.slice(-20).join("\n")}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(
      `building kube-apiserver ${version} needs Go (1.21 or newer, https://go.dev/dl) on PATH; ` +
        "or set KUBEBUILDER_ASSETS to a directory with kube-apiserver, kubectl and etcd",
      { cause: error },
    );
  } finally {
    clearInterval(progress);
  }
  report(`  built in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}

if (import.meta.main) {
  try {
    await buildBinaries((line) => console.error(line));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 69;
  }
}
