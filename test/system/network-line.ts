/** JSON lines to and from the process that holds a network lab's namespaces (network_agent.py). */
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** What the agent tells unasked, about the socket or process with that number. */
export interface LineEvent {
  readonly event: "ready" | "packet" | "trouble" | "stdout" | "stderr" | "exit";
  readonly id: number;
  /** Of a process: what it wrote, or how it ended. */
  readonly text?: string;
  readonly code?: number | null;
}

export interface NetworkLine {
  /** Rejects with what the agent says went wrong, or when it is gone. */
  call(request: string, fields: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  /** `hear` gets all further events about `id`. */
  follow(id: number, hear: (event: LineEvent) => void): void;
  unfollow(id: number): void;
}

interface Answer {
  readonly answer: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

interface Asked {
  resolve(result: Readonly<Record<string, unknown>>): void;
  reject(error: Error): void;
}

export class NetworkLabError extends Error {
  override readonly name = "NetworkLabError";
}

/** Resolves when the agent is there. Rejects with what it wrote to stderr when it ends before. */
export async function openNetworkLine(child: ChildProcess): Promise<NetworkLine> {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new NetworkLabError("the agent needs pipes");
  const asked = new Map<number, Asked>();
  const followers = new Map<number, (event: LineEvent) => void>();
  let complaint = "";
  let number = 0;
  let gone = false;

  stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-4000);
  });
  // A write to an agent that has gone: `close` tells everybody.
  stdin.on("error", () => {});

  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: stdout }).on("line", (line) => {
      const message = JSON.parse(line) as LineEvent | Answer;
      if ("answer" in message) {
        const waiting = asked.get(message.answer);
        asked.delete(message.answer);
        if (message.error === undefined) waiting?.resolve(message.result ?? {});
        else waiting?.reject(new NetworkLabError(message.error));
      } else if (message.event === "ready") resolve();
      else followers.get(message.id)?.(message);
    });
    const end = (cause: string): void => {
      gone = true;
      const error = new NetworkLabError(`the network lab is gone (${cause}) ${complaint}`);
      for (const waiting of asked.values()) waiting.reject(error);
      asked.clear();
      reject(error);
    };
    child.once("error", (error) => end(error.message));
    child.once("close", (code, signal) => end(signal ?? `exit code ${code}`));
  });
  await ready;

  return {
    call: (request, fields) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(new NetworkLabError(`the network lab is gone ${complaint}`));
        number += 1;
        asked.set(number, { resolve, reject });
        stdin.write(`${JSON.stringify({ number, do: request, with: fields })}\n`);
      }),
    follow: (id, hear) => void followers.set(id, hear),
    unfollow: (id) => void followers.delete(id),
  };
}
