/** The namespaces that a node lives in: mounts and processes of its own, on this machine's kernel and network. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandResult, LabProcess } from "../../lab/lab.ts";
import { guestProcess, type GuestProcess } from "../../lab/guest-process.ts";
import { openChild, whenReady, type Child } from "../child.ts";

/** Of unshare(1). */
const namespaces = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
const bootTimeoutMs = 30_000;
const enterTimeoutMs = 30_000;
const commandTimeoutMs = 60_000;

interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
}

/** A program that runs for long in the namespaces. */
export interface Daemon extends AsyncDisposable {
  /** In this machine's process namespace. */
  readonly pid: number;
  readonly child: Child;
  signal(signal: NodeJS.Signals): void;
}

interface DaemonOptions {
  readonly command: readonly string[];
  readonly logFile: string;
}

export interface NodeNamespace extends AsyncDisposable {
  /** Runs a command in the node and waits for it. */
  run(command: readonly string[], options?: CommandOptions & { readonly timeoutMs?: number }): Promise<CommandResult>;
  /** Starts a command in the node; `kill` reaches the command itself. */
  start(command: readonly string[], options?: CommandOptions): Promise<LabProcess>;
  /** Starts a program that writes to a log file. */
  openDaemon(options: DaemonOptions): Promise<Daemon>;
}

/**
 * Makes the namespaces over the files in `root`, which stay when they are closed. Closing kills every process in them, by
 * the kernel, and so does the death of this process.
 */
export async function openNodeNamespace(root: string): Promise<NodeNamespace> {
  const booted = join(root, "booted");
  await rm(booted, { force: true });
  const child = await openChild({
    command: "unshare",
    args: [...namespaces, "--", join(import.meta.dirname, "node-init"), root],
    logFile: join(root, "init.log"),
  });
  try {
    await whenReady(child, async () => existsSync(booted), bootTimeoutMs);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  const init = await childOf(child.pid);
  // Killed with us, both before and behind the fork into the process namespace.
  const dieWithUs = ["setpriv", "--pdeathsig", "KILL", "--"];
  const enter = ["nsenter", "--target", String(init), "--mount", "--pid", "--", ...dieWithUs];

  const launch = async (command: readonly string[], { environment = {} }: CommandOptions = {}): Promise<GuestProcess> => {
    const [program = "", ...args] = [...dieWithUs, ...enter, ...command];
    const outside = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const ended = new Promise<number | null>((resolve, reject) => {
      outside.once("error", reject);
      outside.once("close", resolve);
    });
    // Its output is read from the start, even before its process is known.
    const early: ["stdout" | "stderr", string][] = [];
    let tell = (stream: "stdout" | "stderr", text: string): void => void early.push([stream, text]);
    for (const stream of ["stdout", "stderr"] as const)
      outside[stream].setEncoding("utf8").on("data", (text: string) => tell(stream, text));
    const pid = await insideOf(outside.pid ?? 0).catch(() => 0);
    const kill = async (signal: NodeJS.Signals): Promise<void> => {
      send(pid, signal);
      // nsenter stops along with its command, and would not see its end (continue_as_child() in util-linux' sys-utils/nsenter.c).
      if (signal === "SIGCONT") send(outside.pid ?? 0, signal);
    };
    const launched = guestProcess({ pid, name: command.join(" "), kill });
    for (const [stream, text] of early) launched.wrote(stream, text);
    tell = (stream, text) => launched.wrote(stream, text);
    void ended.then(
      (exitCode) => launched.ended(exitCode),
      () => launched.ended(null),
    );
    return launched;
  };

  return {
    start: async (command, options) => (await launch(command, options)).process,
    async run(command, { timeoutMs = commandTimeoutMs, ...options } = {}) {
      const launched = await launch(command, options);
      await using running = launched.process;
      const timer = new AbortController();
      const late = sleep(timeoutMs, "late" as const, { signal: timer.signal }).catch(() => "stopped" as const);
      const ended = await Promise.race([running.exited, late]);
      timer.abort();
      if (typeof ended === "string") throw new Error(`${command.join(" ")} did not end within ${timeoutMs} ms:\n${running.output}`);
      return { exitCode: ended ?? -1, stdout: launched.stdout, stderr: launched.stderr };
    },
    async openDaemon({ command, logFile }) {
      const [program = "", ...args] = [...enter, ...command];
      const outside = await openChild({ command: program, args, logFile });
      const pid = await insideOf(outside.pid);
      return {
        pid,
        child: outside,
        signal: (signal) => send(pid, signal),
        async [Symbol.asyncDispose]() {
          send(pid, "SIGKILL");
          await outside.exited;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      // The namespace's first process takes all others with it; waiting for `unshare` is waiting for the last of them.
      send(init, "SIGKILL");
      await child.exited;
    },
  };
}

/** The process behind nsenter, once it runs the command and not setpriv any more. */
async function insideOf(pid: number): Promise<number> {
  const inside = await childOf(pid);
  const deadline = Date.now() + enterTimeoutMs;
  while (/^(?:nsenter|setpriv)$/u.test((await readFile(`/proc/${inside}/comm`, "utf8")).trim())) {
    if (Date.now() > deadline) throw new Error(`process ${inside} does not run its command after ${enterTimeoutMs} ms`);
    await sleep(2);
  }
  return inside;
}

async function childOf(pid: number): Promise<number> {
  const deadline = Date.now() + enterTimeoutMs;
  for (;;) {
    const [first = ""] = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ");
    if (first !== "") return Number(first);
    if (Date.now() > deadline) throw new Error(`process ${pid} has no child after ${enterTimeoutMs} ms`);
    await sleep(2);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    // 0 would be our own process group.
    if (pid > 0) process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
