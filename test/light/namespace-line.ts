/** The test process's end of the line to the agent in the namespace. */
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { LabError } from "../lab/lab-error.ts";
import type { ProcessNews } from "../lab/process-table.ts";
import { jsonLines } from "../lab/protocol.ts";
import type { NamespaceCall, NamespaceCallName, NamespaceCalls, NamespaceMessage } from "./namespace-protocol.ts";

export interface NamespaceLine {
  /** Rejects with LabError when the agent says why it could not, or when it is gone. */
  call<Name extends NamespaceCallName>(name: Name, ask: NamespaceCalls[Name]["ask"]): Promise<NamespaceCalls[Name]["answer"]>;
}

interface Pending {
  resolve(answer: unknown): void;
  reject(error: LabError): void;
}

/** Waits until the agent in `child` is ready. `tell` gets all it says unasked after that. */
export async function openNamespaceLine(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  tell: (news: ProcessNews) => void,
): Promise<NamespaceLine> {
  const pending = new Map<number, Pending>();
  const ready = Promise.withResolvers<void>();
  let complaints = "";
  let gone: LabError | undefined;
  let lastId = 0;

  const receive = (message: NamespaceMessage): void => {
    if ("event" in message) {
      if (message.event === "ready") ready.resolve();
      else tell(message);
      return;
    }
    const asked = pending.get(message.id);
    pending.delete(message.id);
    if ("failure" in message) asked?.reject(new LabError(`the namespace: ${message.failure}`));
    else asked?.resolve(message.answer);
  };
  const fail = (why: string): void => {
    gone ??= new LabError(`the namespace is gone: ${why}${complaints === "" ? "" : `; it wrote:\n${complaints}`}`);
    ready.reject(gone);
    for (const asked of pending.values()) asked.reject(gone);
    pending.clear();
  };

  child.stdout.setEncoding("utf8").on(
    "data",
    jsonLines((message) => receive(message as NamespaceMessage)),
  );
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  child.stdin.on("error", () => {});
  child.once("error", (error) => fail(error.message));
  child.once("close", (exitCode) => fail(`exit code ${exitCode}`));
  await ready.promise;

  return {
    async call(call, ask) {
      if (gone !== undefined) throw gone;
      lastId += 1;
      const answered = Promise.withResolvers<unknown>();
      pending.set(lastId, answered);
      child.stdin.write(`${JSON.stringify({ id: lastId, call, ask } satisfies NamespaceCall)}\n`);
      // Types of ask and answer are tied together by NamespaceCalls, which the agent implements.
      return (await answered.promise) as never;
    },
  };
}
