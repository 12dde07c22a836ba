/** Child processes that never outlive us, and their log. */
import { spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const pollEveryMs = 20;

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Both streams are appended here. */
  readonly logFile: string;
}

export interface Child extends AsyncDisposable {
  readonly pid: number;
  readonly name: string;
  /** Both streams, from the beginning. */
  log(): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** How it ended, in words, once it has. */
  readonly exited: Promise<string>;
}

/**
 * Starts a program. It is killed when disposed and, by the kernel, when this process dies, however it dies: prctl(2),
 * PR_SET_PDEATHSIG. In a session of its own, so that a Ctrl-C at the terminal reaches only us and we stop things in order.
 */
export async function openChild({ command, args, logFile }: ChildOptions): Promise<Child> {
  const log = await open(logFile, "a");
  try {
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", command, ...args], { stdio: ["ignore", log.fd, log.fd], detached: true });
    const exited = new Promise<string>((resolve) => {
      child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", resolve);
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`${command} did not start`);
    return {
      pid,
      name: basename(command),
      log: () => readFile(logFile, "utf8"),
      signal(signal) {
        child.kill(signal);
      },
      exited,
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        await exited;
      },
    };
  } finally {
    await log.close();
  }
}

/** Waits until `isReady` says so; throws with the end of the child's log when it exits first or the deadline passes. */
export async function whenReady(child: Child, isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const exit: { how?: string } = {};
  void (async () => {
    exit.how = await child.exited;
  })();
  while (!(await isReady().catch(() => false))) {
    const trouble = exit.how ?? (Date.now() > deadline ? `no answer in ${timeoutMs} ms` : undefined);
    if (trouble !== undefined) {
      const lines = (await child.log()).trimEnd().split("\n").slice(-15);
      throw new Error(`${child.name} did not become ready (${trouble}):\n${lines.join("\n")}`);
    }
    await sleep(pollEveryMs);
  }
}
