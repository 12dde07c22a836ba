/** Commands the host starts here, their output streamed as it comes. */
import { type ChildProcess, spawn } from "node:child_process";
import type { GuestCalls, GuestEvent } from "../protocol.ts";

interface Processes {
  /** Rejects when the command cannot be started. */
  start(ask: GuestCalls["start"]["ask"]): Promise<GuestCalls["start"]["answer"]>;
  /** A process that is gone is left in peace. */
  kill(id: number, signal: NodeJS.Signals): void;
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
      child.once("close", (exitCode) => {
        running.delete(id);
        say({ event: "exited", process: id, exitCode });
      });
      return { process: id, pid: child.pid ?? 0 };
    },
    kill: (id, signal) => void running.get(id)?.kill(signal),
  };
}
