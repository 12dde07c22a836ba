/** Processes of the bench: started in a namespace, and what they cost by the kernel's books. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { NetworkNamespace } from "../../light/network-namespaces.ts";

export interface BenchProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it wrote to standard output. */
  readonly output: () => string;
  /** What it wrote to standard error, at most the last 2,000 characters. */
  readonly complaints: () => string;
  readonly alive: () => boolean;
  /** Resolves to the exit code. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, and after five seconds SIGKILL. */
  stop(): Promise<void>;
}

const patienceMs = 5_000;

/** `command` is for a shell, which it takes the place of. */
export function start(at: NetworkNamespace, command: string): BenchProcess {
  const child = at.run(() => spawn("sh", ["-c", `exec ${command}`], { stdio: ["ignore", "pipe", "pipe"] }));
  let output = "";
  let complaints = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints = (complaints + text).slice(-2_000)));
  const exited = new Promise<number | null>((resolve) => void child.once("close", (code) => resolve(code)));
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  const stop = async (): Promise<void> => {
    if (!alive()) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    await exited;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? 0,
    output: () => output,
    complaints: () => complaints,
    alive,
    exited,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Time on a processor of all threads of a process and its children so far, in milliseconds (proc(5), schedstat). */
export function processorMs(pid: number): number {
  return familyOf(pid)
    .flatMap((each) => threadsOf(each))
    .map((thread) => Number(readText(`${thread}/schedstat`).split(" ")[0] ?? 0) / 1e6)
    .reduce((sum, each) => sum + each, 0);
}

/** Resident memory of a process and its children, in MiB. */
export function residentMib(pid: number): number {
  return familyOf(pid)
    .map((each) => Number(/^VmRSS:\s+(\d+)/m.exec(readText(`/proc/${each}/status`))?.[1] ?? 0) / 1024)
    .reduce((sum, each) => sum + each, 0);
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`);
  } catch {
    return [];
  }
}

function familyOf(pid: number): readonly number[] {
  const children = threadsOf(pid).flatMap((thread) => readText(`${thread}/children`).split(" ").filter(Boolean).map(Number));
  return [pid, ...children.flatMap((child) => familyOf(child))];
}

/** Empty for what has gone meanwhile. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
