/** Commands the host starts here, their output streamed as it comes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { GuestCalls, GuestEvent } from "../protocol.ts";

interface Processes {
  /** Rejects when the command cannot be started. */
  start(ask: GuestCalls["start"]["ask"]): Promise<GuestCalls["start"]["answer"]>;
  /** A process that is gone is left in peace. */
  kill(id: number, signal: NodeJS.Signals): void;
}

/** How long output may trail behind an exit. */
const trailingOutputMs = 1_000;

/** Resolves when a process is gone and its output has been read, or a daemon it left behind keeps its output open. */
async function ended(child: ChildProcess): Promise<number | null> {
  const closed = once(child, "close");
  const [exitCode] = (await once(child, "exit")) as [number | null];
  await Promise.race([closed, sleep(trailingOutputMs)]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return exitCode;
}

/** Processes get ids of their own, since the kernel's come back. */
export function openProcesses(say: (event: GuestEvent) => void): Processes {
  const running = new Map<number, ChildProcess>();
  let lastId = 0;
  return {
    async start({ command: [program = "", ...rest], environment }) {
      const id = ++lastId;
      const child = spawn(program, rest, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
      running.set(id, child);
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream].setEncoding("utf8").on("data", (text: string) => say({ event: "output", process: id, stream, text }));
      }
      const follow = async (): Promise<void> => {
        const exitCode = await ended(child);
        running.delete(id);
        say({ event: "exited", process: id, exitCode });
      };
      void follow();
      return { process: id, pid: child.pid ?? 0 };
    },
    kill: (id, signal) => void running.get(id)?.kill(signal),
  };
}
