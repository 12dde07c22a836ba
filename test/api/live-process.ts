/** The daemon of the live tests as a process that can be killed. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { DaemonWord } from "./live-daemon.ts";

export interface DaemonOptions {
  readonly directory: string;
  /** Entries to reach. */
  readonly entries: number;
  /** As fast as the disk allows unless given. */
  readonly perSecond?: number;
  /** Entries that are kept; all unless given. */
  readonly kept?: number;
}

export interface LiveProcess extends AsyncDisposable {
  readonly socketPath: string;
  readonly last: DaemonWord | undefined;
  /** Asks how things are. */
  ask(): Promise<DaemonWord>;
  /** Resolves when it is so. */
  until(isSo: (word: DaemonWord) => boolean): Promise<DaemonWord>;
  /** kill -9. */
  kill(): Promise<void>;
}

const script = new URL("live-daemon.ts", import.meta.url).pathname;

/** Resolves when the API can be reached. */
export async function startLiveProcess({ directory, entries, perSecond = 0, kept = 0 }: DaemonOptions): Promise<LiveProcess> {
  const child = fork(script, [directory, String(entries), String(perSecond), String(kept)], { execArgv: ["--conditions=source"] });
  let last: DaemonWord | undefined;
  child.on("message", (word: DaemonWord) => {
    last = word;
  });
  const exited = once(child, "exit");
  const next = async (): Promise<DaemonWord> => {
    const first = await Promise.race([once(child, "message"), exited.then(() => undefined)]);
    if (first === undefined) throw new Error(`the daemon ended with ${child.exitCode ?? child.signalCode}`);
    return first[0] as DaemonWord;
  };
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  await next();
  return {
    socketPath: join(directory, "api.sock"),
    get last() {
      return last;
    },
    ask() {
      child.send("tell");
      return next();
    },
    async until(isSo) {
      for (;;) {
        const word = await next();
        if (isSo(word)) return word;
      }
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
