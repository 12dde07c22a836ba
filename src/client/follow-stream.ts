/** The live events, over as many connections as it takes. */
import type { Beginning, HintMessage, HistoryMessage, ReadyMessage, ResetMessage } from "../api/contract/types.ts";
import { createEventStreamParser } from "./event-stream-parser.ts";
import { AerialProblem } from "./problem.ts";
import { readText } from "./read-lines.ts";

/** One of the live events; `id` is what to come back with. */
export type StreamEvent = HistoryMessage | HintMessage | ReadyMessage | ResetMessage;

export interface FollowOptions {
  /** Where to begin: after an event, with what comes next (`now`, unless said), or with all that is kept. */
  readonly after?: Beginning;
  readonly signal?: AbortSignal;
}

type Ask = (headers: Readonly<Record<string, string>>, input: Readonly<Record<string, unknown>>) => Promise<Response>;

const pause = { shortestMs: 500, longestMs: 15_000 } as const;

/** Those that have a place in the history. */
const withId: ReadonlySet<string> = new Set(["history", "ready", "reset"] satisfies StreamEvent["event"][]);

/** @throws AerialProblem for answers that trying again does not mend */
export async function* followStream(ask: Ask, { after, signal }: FollowOptions): AsyncGenerator<StreamEvent, void, undefined> {
  let lastId = "";
  let waitMs: number = pause.shortestMs;
  let retryMs: number | undefined;
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    try {
      const headers = { accept: "text/event-stream", ...(lastId !== "" && { "last-event-id": lastId }) };
      const parser = createEventStreamParser(lastId);
      for await (const piece of readText(await ask(headers, { after, signal }))) {
        waitMs = pause.shortestMs;
        for (const { event, data, lastEventId } of parser.push(piece)) {
          // Told as read before it is handed on: who stops here has it.
          lastId = lastEventId;
          yield { event, ...(withId.has(event) && { id: lastEventId }), data: JSON.parse(data) as unknown } as StreamEvent;
        }
        ({ retryMs } = parser);
      }
    } catch (error) {
      if (isOver()) return;
      if (error instanceof AerialProblem && !isPassing(error)) throw error;
    }
    await sleep(Math.max(waitMs, retryMs ?? 0), signal);
    waitMs = Math.min(waitMs * 2, pause.longestMs);
  }
}

/** What may be otherwise in a moment; everything but a problem is. */
function isPassing({ status }: AerialProblem): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted === true) end();
  });
}
