/** Who holds which device nodes and sockets open, and which pod that is. */
import { type Dirent, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { HeldNode, ProcessFacts, Reading } from "../core/check.ts";
import { isUnreadable, wasRead } from "../core/reading.ts";
import type { Breather } from "./breather.ts";
import { toPrintable } from "./decode-text.ts";
import type { NodeReader } from "./node-reader.ts";
import { parseCgroup } from "./parse-cgroup.ts";
import { toReading } from "./read-error.ts";
import { judgeReadError } from "./sysfs.ts";

export interface ProcessRequest {
  /** Where the host's procfs is mounted. */
  readonly proc: string;
  readonly nodes: NodeReader;
  readonly breathe: Breather;
}

const limits = { processes: 8_192, descriptors: 262_144 } as const;
/** Every program has these open; nobody asks who. */
const everybodys = /^\/dev\/(?:(?:null|zero|full|u?random|tty|ptmx|console)$|pts\/|shm\/|mqueue\/|hugepages\/|fd\/)/;

/** All processes whose directory could be listed. Those that end meanwhile are left out. */
export async function readProcesses(request: ProcessRequest, signal: AbortSignal): Promise<Reading<readonly ProcessFacts[]>> {
  const { proc, breathe } = request;
  let entries: Dirent[];
  try {
    entries = readdirSync(proc, { withFileTypes: true });
  } catch (error) {
    return toReading(error);
  }
  const pids = entries.flatMap(({ name }) => (/^[1-9]\d{0,9}$/.test(name) ? [Number(name)] : [])).sort((a, b) => a - b);
  if (pids.length > limits.processes) return isUnreadable(`there are more than ${limits.processes} processes`);
  const blind = ownPodOnly(proc);
  if (blind !== undefined) return isUnreadable(blind);
  const found: ProcessFacts[] = [];
  const budget = { left: limits.descriptors };
  for (const pid of pids) {
    const process = await readProcess(pid, request, budget);
    if (process !== undefined) found.push(process);
    await breathe();
    if (signal.aborted) return isUnreadable("looking at all processes took too long");
    if (budget.left <= 0) return isUnreadable(`processes have more than ${limits.descriptors} descriptors open`);
  }
  return wasRead(found);
}

async function readProcess(
  pid: number,
  { proc, nodes, breathe }: ProcessRequest,
  budget: { left: number },
): Promise<ProcessFacts | undefined> {
  const directory = join(proc, String(pid));
  const name = readText(join(directory, "comm"));
  if (name === undefined) return undefined;
  const held: HeldNode[] = [];
  const sockets: number[] = [];
  let hidden: string | undefined;
  try {
    for (const descriptor of readdirSync(join(directory, "fd"))) {
      if ((budget.left -= 1) <= 0) break;
      if (budget.left % 64 === 0) await breathe();
      const path = join(directory, "fd", descriptor);
      const target = readTarget(path);
      const socket = /^socket:\[(\d{1,15})\]$/.exec(target)?.[1];
      if (socket !== undefined) sockets.push(Number(socket));
      else if (target.startsWith("/dev/") && !everybodys.test(target)) held.push(...readHeld(path, target, nodes));
    }
  } catch (error) {
    if (judgeReadError(error) === "absent") return undefined;
    hidden = `its open files cannot be listed (${String((error as NodeJS.ErrnoException).code)})`;
  }
  const owner = parseCgroup(readText(join(directory, "cgroup")) ?? "");
  const parentPid = parseParent(readText(join(directory, "stat")) ?? "");
  const network = readTarget(join(directory, "ns/net"));
  const known = {
    ...owner,
    ...(parentPid !== undefined && { parentPid }),
    ...(network !== "" && { network }),
    ...(hidden !== undefined && { hidden }),
  };
  return { pid, name: toPrintable(name), ...known, nodes: held, socketInodes: sockets };
}

/** The fourth field of `/proc/PID/stat` (proc_pid_stat(5)); the second is a name in brackets that may hold anything. */
export function parseParent(stat: string): number | undefined {
  const parent = Number(/^ [A-Za-z] (\d{1,10}) /.exec(stat.slice(stat.lastIndexOf(")") + 1))?.[1] ?? 0);
  return parent === 0 ? undefined : parent;
}

function readHeld(path: string, target: string, nodes: NodeReader): HeldNode[] {
  try {
    const { type, major, minor } = nodes.held(path, target);
    if (type !== "character") return [];
    const deleted = target.endsWith(" (deleted)");
    return [{ path: toPrintable(deleted ? target.slice(0, -" (deleted)".length) : target), major, minor, deleted }];
  } catch {
    // Closed meanwhile.
    return [];
  }
}

/**
 * Why other pods' processes cannot be seen, if so: in a PID namespace of its own, a container finds its own program, or
 * its pod's pause container, as process 1 in the same cgroup.
 */
export function ownPodOnly(proc: string): string | undefined {
  const first = parseCgroup(readText(join(proc, "1/cgroup")) ?? "");
  const self = parseCgroup(readText(join(proc, "self/cgroup")) ?? "");
  const isOwn = readTarget(join(proc, "self")) === "1" || (first.podUid !== undefined && first.podUid === self.podUid);
  return isOwn ? "aerial sees no processes but those of its own pod: it needs hostPID: true" : undefined;
}

function readTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** procfs makes these in memory, without waiting for anything. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").replace(/\n$/, "");
  } catch {
    return undefined;
  }
}
