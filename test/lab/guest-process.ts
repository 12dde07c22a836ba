/** A process in the guest as the host sees it. */
import type { LabProcess } from "./lab.ts";
import { LabError } from "./lab-error.ts";

/** Where the guest's news of one process are put. */
export interface GuestProcess {
  readonly process: LabProcess;
  readonly stdout: string;
  readonly stderr: string;
  wrote(stream: "stdout" | "stderr", text: string): void;
  ended(exitCode: number | null): void;
}

interface GuestProcessDeps {
  readonly pid: number;
  readonly name: string;
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
}

/** Keeps what a process writes, and wakes who waits for a line of it. */
export function guestProcess({ pid, name, kill }: GuestProcessDeps): GuestProcess {
  const written = { stdout: "", stderr: "", both: "" };
  const waiting = new Set<() => void>();
  let running = true;
  let end: (exitCode: number | null) => void = () => {};
  const exited = new Promise<number | null>((resolve) => (end = resolve));
  const wake = (): void => {
    for (const look of waiting) look();
  };

  const waitForLine = (pattern: RegExp, timeoutMs: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        stop();
        reject(new LabError(`${name} ${why} without a line like ${String(pattern)}; it wrote:\n${written.both}`));
      };
      const timer = setTimeout(() => fail(`ran ${timeoutMs} ms`), timeoutMs);
      const stop = (): void => {
        clearTimeout(timer);
        waiting.delete(look);
      };
      const look = (): void => {
        const line = matchingLine([written.stdout, written.stderr], pattern, !running);
        if (line !== undefined) {
          stop();
          resolve(line);
        } else if (!running) fail("ended");
      };
      waiting.add(look);
      look();
    });

  const process: LabProcess = {
    pid,
    get output() {
      return written.both;
    },
    waitForLine,
    kill,
    exited,
    async [Symbol.asyncDispose]() {
      if (!running) return;
      await kill("SIGKILL");
      await exited;
    },
  };
  return {
    process,
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    wrote(stream, text) {
      written[stream] += text;
      written.both += text;
      wake();
    },
    ended(exitCode) {
      running = false;
      end(exitCode);
      wake();
    },
  };
}

/** The first whole line that matches; the unfinished last one counts once nothing more can come. */
function matchingLine(streams: readonly string[], pattern: RegExp, finished: boolean): string | undefined {
  for (const stream of streams) {
    const lines = stream.split("\n");
    if (!finished) lines.pop();
    const line = lines.find((candidate) => new RegExp(pattern.source, pattern.flags.replace("g", "")).test(candidate));
    if (line !== undefined) return line;
  }
  return undefined;
}
