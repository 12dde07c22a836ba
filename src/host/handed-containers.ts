/** Containers that were given radios, found and ended by their processes alone: no container runtime is asked. */
import { readFileSync, readdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { AerialError, describeError, errnoOf } from "../core/errors.ts";
import type { HandedContainer, HandedContainers } from "../core/handed-container.ts";
import { linkSignal } from "../core/linked-signal.ts";
import { createBreather } from "./breather.ts";
import { parseCgroup } from "./parse-cgroup.ts";
import { parseEnviron } from "./parse-environ.ts";
import { ownPodOnly } from "./processes.ts";

export interface HandedContainersDependencies {
  /** Where the host's procfs is mounted. Its process ids must be those of the PID namespace that aerial is in. */
  readonly proc: string;
  readonly clock: Clock;
  /** kill(2); throws as `process.kill` does. */
  readonly kill?: (pid: number, signal: NodeJS.Signals) => void;
}

/** A process as it is to be told from another that gets its number. */
interface Member {
  readonly pid: number;
  /** In clock ticks since boot. */
  readonly startTime: string;
}

interface Owner {
  readonly podUid: string;
  readonly containerId: string;
}

interface Ending {
  readonly name: NodeJS.Signals;
  readonly withinMs: number;
}

/** What execve(2) lets arguments and environment take with the usual stack of 8 MiB. */
const largestEnviron = 2 * 1_048_576;
const chunk = 65_536;
/** A process decides what its memory is made of, and with that how long reading it takes. */
const readMs = 2_000;
/** At most so many threads of libuv's four may wait for such memory. */
const mostStuck = 2;
/** From asking to end, to ending. */
const politeMs = 10_000;
/** How long processes that were killed may take to be gone. */
const killedMs = 5_000;
const pollMs = 100;

export function createHandedContainers(dependencies: HandedContainersDependencies): HandedContainers {
  const { proc, clock, kill = (pid, signal) => void process.kill(pid, signal) } = dependencies;
  /** Pods with a process whose memory has not come yet: nothing more of theirs is read, so that they are in nobody's way but their own. */
  const stuck = new Set<string>();

  const listPids = (): readonly number[] => {
    const blind = ownPodOnly(proc);
    if (blind !== undefined) throw new AerialError("handover.processes", blind);
    try {
      return readdirSync(proc).flatMap((name) => (/^[1-9]\d{0,9}$/.test(name) ? [Number(name)] : []));
    } catch (error) {
      throw new AerialError("handover.processes", `cannot list ${proc} (${errnoOf(error) ?? "unknown error"})`, { cause: error });
    }
  };

  let own: string | undefined;
  /** Undefined for what has ended, for what no container of a pod holds, and for ourselves and what shares our container. */
  const ownerOf = (pid: number): Owner | undefined => {
    if (pid === 1 || pid === process.pid) return undefined;
    const { podUid, containerId } = parseCgroup(readText(join(proc, `${pid}/cgroup`)));
    if (podUid === undefined || containerId === undefined) return undefined;
    own ??= parseCgroup(readText(join(proc, "self/cgroup"))).containerId ?? "";
    return containerId === own ? undefined : { podUid, containerId };
  };
  const isOf = (pid: number, { podUid, containerId }: Owner): boolean => {
    const owner = ownerOf(pid);
    return owner?.podUid === podUid && owner.containerId === containerId;
  };

  const readEnviron = async (pid: number, { podUid }: Owner, signal: AbortSignal): Promise<string | AerialError> => {
    if (stuck.has(podUid)) return "";
    if (stuck.size >= mostStuck) {
      throw new AerialError("handover.processes", `the memory of processes of ${stuck.size} pods cannot be read in time`, {
        details: { podUids: [...stuck] },
      });
    }
    stuck.add(podUid);
    const reading = readBounded(join(proc, `${pid}/environ`)).finally(() => stuck.delete(podUid));
    using wait = linkSignal(signal);
    const late = clock.sleep(readMs, wait.signal).then(
      () => "",
      () => "",
    );
    try {
      return await Promise.race([reading, late]);
    } finally {
      wait.abort(new AerialError("internal.abort", "the wait is over"));
    }
  };

  const membersOf = (owner: Owner): readonly Member[] =>
    listPids().flatMap((pid) => {
      if (!isOf(pid, owner)) return [];
      const startTime = startTimeOf(proc, pid);
      return startTime === undefined ? [] : [{ pid, startTime }];
    });

  const signalAll = (owner: Owner, members: readonly Member[], name: NodeJS.Signals): void => {
    for (const { pid, startTime } of members) {
      if (!isOf(pid, owner) || startTimeOf(proc, pid) !== startTime) continue;
      try {
        kill(pid, name);
      } catch (error) {
        if (errnoOf(error) === "ESRCH") continue;
        const what = `cannot end process ${pid} of container ${shortOf(owner)} (${errnoOf(error) ?? describeError(error)})`;
        throw new AerialError("handover.processes", what, { cause: error });
      }
    }
  };

  /** Signals all of a container's processes, and gives whether they, and those they have begun meanwhile, ended in time. */
  const endAll = async (owner: Owner, { name, withinMs }: Ending, signal: AbortSignal): Promise<boolean> => {
    const members = membersOf(owner);
    signalAll(owner, members, name);
    for (let waited = 0; waited < withinMs; waited += pollMs) {
      if (members.every(({ pid, startTime }) => startTimeOf(proc, pid) !== startTime) && membersOf(owner).length === 0) return true;
      await clock.sleep(pollMs, signal);
    }
    return false;
  };

  return {
    async find(signal) {
      const breathe = createBreather();
      const found = new Map<string, HandedContainer>();
      let read = 0;
      let denied: AerialError | undefined;
      for (const pid of listPids()) {
        await breathe();
        signal.throwIfAborted();
        const owner = ownerOf(pid);
        if (owner === undefined || found.has(owner.containerId)) continue;
        const environ = await readEnviron(pid, owner, signal);
        if (environ instanceof AerialError) {
          denied = environ;
          continue;
        }
        read += 1;
        const handed = parseEnviron(environ);
        if (handed !== undefined) found.set(owner.containerId, { ...owner, ...handed });
      }
      if (denied !== undefined && read === 0) throw denied;
      return [...found.values()];
    },
    async end(container, signal) {
      if (await endAll(container, { name: "SIGTERM", withinMs: politeMs }, signal)) return;
      if (await endAll(container, { name: "SIGKILL", withinMs: killedMs }, signal)) return;
      throw new AerialError("handover.processes", `container ${shortOf(container)} does not end: a process of it is stuck in the kernel`);
    },
  };
}

function shortOf({ containerId }: Owner): string {
  return containerId.slice(0, 12);
}

/** Empty for what has ended meanwhile, and the error for what may not be read. */
async function readBounded(path: string): Promise<string | AerialError> {
  let file;
  try {
    file = await open(path, "r");
    const parts: Buffer[] = [];
    for (let length = 0; length < largestEnviron;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunk), 0, chunk, null);
      if (bytesRead === 0) break;
      parts.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(parts).toString("latin1");
  } catch (error) {
    const errno = errnoOf(error) ?? describeError(error);
    if (errno !== "EACCES" && errno !== "EPERM") return "";
    return new AerialError("handover.processes", `cannot read the environment of pods' processes (${errno})`, { cause: error });
  } finally {
    await file?.close();
  }
}

/** The 22nd field of `/proc/PID/stat` (proc_pid_stat(5)); the second is a name in brackets that may hold anything. */
function startTimeOf(proc: string, pid: number): string | undefined {
  const stat = readText(join(proc, `${pid}/stat`));
  return /^(?: \S+){19} (\d{1,20}) /.exec(stat.slice(stat.lastIndexOf(")") + 1))?.[1];
}

/** procfs makes these in memory, without waiting for anything. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
