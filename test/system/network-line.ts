/** JSON lines to and from the process that holds a network lab's namespaces (network_agent.py). */
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

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

/** The agent's process, wherever it runs. */
export interface AgentStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when it is gone, with how it ended and what it complained of. */
  readonly ended: Promise<string>;
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

/** Resolves when the agent is there. Rejects with what it complained of when it ends before. */
export async function openNetworkLine({ stdin, stdout, ended }: AgentStreams): Promise<NetworkLine> {
  const asked = new Map<number, Asked>();
  const followers = new Map<number, (event: LineEvent) => void>();
  let number = 0;
  let gone: NetworkLabError | undefined;

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
    const end = async (): Promise<void> => {
      gone = new NetworkLabError(`the network lab is gone (${await ended})`);
      for (const waiting of asked.values()) waiting.reject(gone);
      asked.clear();
      reject(gone);
    };
    void end();
  });
  await ready;

  return {
    call: (request, fields) =>
      new Promise((resolve, reject) => {
        if (gone !== undefined) return reject(gone);
        number += 1;
        asked.set(number, { resolve, reject });
        stdin.write(`${JSON.stringify({ number, do: request, with: fields })}\n`);
      }),
    follow: (id, hear) => void followers.set(id, hear),
    unfollow: (id) => void followers.delete(id),
  };
}
