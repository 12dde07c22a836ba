/** Programs built from a pinned Go module into a cache directory, once. */
import { spawn } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const progressEveryMs = 15_000;

export interface GoPrograms {
  /** What it is, for the cache's name and for people: `kubernetes`. */
  readonly name: string;
  /** Directory of the go.mod that names the version and, in go.sum, the bytes it is built from. */
  readonly goModule: string;
  /** The module whose version counts: `k8s.io/kubernetes`; the programs are its `cmd/…`. */
  readonly module: string;
  readonly programs: readonly string[];
  /** Flags of `go build` besides `-ldflags`. */
  readonly flags?: readonly string[];
  /** Variables that the linker sets; clients and feature gates compare versions. */
  readonly stamps: (version: string) => Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** How long a first build takes, in words. */
  readonly duration: string;
}

/** `${XDG_CACHE_HOME:-~/.cache}/aerial/<name>-<version>`. */
export async function cacheDirectory({ name, goModule, module }: GoPrograms, environment: NodeJS.ProcessEnv): Promise<string> {
  const cache = environment["XDG_CACHE_HOME"];
  const base = cache === undefined || cache === "" ? join(homedir(), ".cache") : cache;
  return join(base, "aerial", `${name}-${(await versionOf(goModule, module)).slice(1)}`);
}

/** Builds the programs that are not in the cache yet and says how far it is. */
export async function buildPrograms(wanted: GoPrograms, report: (line: string) => void, environment: NodeJS.ProcessEnv): Promise<void> {
  const { name, goModule, module, programs, duration } = wanted;
  const version = await versionOf(goModule, module);
  const directory = await cacheDirectory(wanted, environment);
  const missing: string[] = [];
  for (const program of programs) if (!(await isExecutable(join(directory, program)))) missing.push(program);
  if (missing.length === 0) {
    report(`${name} ${version} for tests: in ${directory}`);
    return;
  }
  report(`building ${missing.join(", ")} ${version} from source into ${directory} (once; ${duration})`);
  await mkdir(directory, { recursive: true });
  // In a directory beside the finished ones, so that renaming is atomic and half a build is never found.
  const scratch = await mkdtemp(join(directory, ".build-"));
  try {
    await goBuild(wanted, { packages: missing.map((program) => `${module}/cmd/${program}`), output: scratch, version, report });
    for (const program of missing) await rename(join(scratch, program), join(directory, program));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The version in go.mod, such as `v1.36.1`. */
async function versionOf(goModule: string, module: string): Promise<string> {
  const text = await readFile(join(goModule, "go.mod"), "utf8");
  const version = new RegExp(`^\\s*(?:require )?${module.replaceAll(".", "\\.")} (v\\S+)`, "m").exec(text)?.[1];
  if (version === undefined) throw new Error(`${goModule}/go.mod names no version of ${module}`);
  return version;
}

interface GoBuild {
  readonly packages: readonly string[];
  readonly output: string;
  readonly version: string;
  readonly report: (line: string) => void;
}

async function goBuild(
  { name, goModule, stamps, flags = [], environment = {} }: GoPrograms,
  { packages, output, version, report }: GoBuild,
): Promise<void> {
  const ldflags = ["-s", "-w", ...Object.entries(stamps(version)).map(([key, value]) => `-X ${key}=${value}`)];
  const args = ["build", "-v", "-trimpath", ...flags, `-ldflags=${ldflags.join(" ")}`, "-o", `${output}/`, ...packages];
  const child = spawn("go", args, { cwd: goModule, env: { ...process.env, ...environment }, stdio: ["ignore", "inherit", "pipe"] });

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
      `building ${name} ${version} needs Go (1.21 or newer, https://go.dev/dl) on PATH; ` +
        "an API server alone is also found by KUBEBUILDER_ASSETS, a directory with kube-apiserver, kubectl and etcd",
      { cause: error },
    );
  } finally {
    clearInterval(progress);
  }
  report(`  built in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}
