/** The processes of a lab's node, started and watched through its agent. */
import { setTimeout as sleep } from "node:timers/promises";
import { guestProcess, type GuestProcess } from "./guest-process.ts";
import type { CommandResult, Lab, LabProcess } from "./lab.ts";
import { LabError } from "./lab-error.ts";
import type { GuestCalls, GuestEvent } from "./protocol.ts";

export type ProcessNews = Extract<GuestEvent, { readonly event: "output" | "exited" }>;

interface ProcessCalls {
  start(ask: GuestCalls["start"]["ask"]): Promise<GuestCalls["start"]["answer"]>;
  kill(ask: GuestCalls["kill"]["ask"]): Promise<unknown>;
  /** How long `run` waits unless told otherwise. */
  readonly runTimeoutMs: number;
}

export interface ProcessTable extends Pick<Lab, "run" | "start"> {
  /** To be given all that the agent says of processes, in its order. */
  hear(news: ProcessNews): void;
}

export function createProcessTable(calls: ProcessCalls): ProcessTable {
  const processes = new Map<number, GuestProcess>();
  // A process may write and end before we have got round to the answer that names it.
  const unclaimed = new Map<number, ProcessNews[]>();

  const tell = (process: GuestProcess, news: ProcessNews): void => {
    if (news.event === "output") process.wrote(news.stream, news.text);
    else {
      process.ended(news.exitCode);
      processes.delete(news.process);
    }
  };

  const launch = async (command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<GuestProcess> => {
    const { process: id, pid } = await calls.start({ command, environment });
    const kill = async (signal: NodeJS.Signals): Promise<void> => void (await calls.kill({ process: id, signal }));
    const launched = guestProcess({ pid, name: command.join(" "), kill });
    processes.set(id, launched);
    for (const news of unclaimed.get(id) ?? []) tell(launched, news);
    unclaimed.delete(id);
    return launched;
  };

  return {
    hear(news) {
      const process = processes.get(news.process);
      if (process !== undefined) tell(process, news);
      else unclaimed.set(news.process, [...(unclaimed.get(news.process) ?? []), news]);
    },
    start: async (command, { environment } = {}): Promise<LabProcess> => (await launch(command, environment)).process,
    async run(command, { environment, timeoutMs = calls.runTimeoutMs } = {}): Promise<CommandResult> {
      const launched = await launch(command, environment);
      await using running = launched.process;
      const timer = new AbortController();
      const late = sleep(timeoutMs, "late", { signal: timer.signal }).catch(() => "stopped");
      const ended = await Promise.race([running.exited, late]);
      timer.abort();
      if (typeof ended === "string") {
        throw new LabError(`${command.join(" ")} did not end within ${timeoutMs} ms; it wrote:\n${running.output}`);
      }
      return { exitCode: ended ?? -1, stdout: launched.stdout, stderr: launched.stderr };
    },
  };
}
