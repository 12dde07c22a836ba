/** The live stream: opened again whenever it ends, from where it ended. */
import type { Connection } from "./connection.ts";
import { createEventParser, type ServerEvent } from "./parse-events.ts";
import { toProblem } from "./problem.ts";
import { ask } from "./requests.ts";

interface StreamListener {
  /** The stream has begun, for the first time or again: what was known before may be old. */
  opened(): void;
  event(event: ServerEvent): void;
  connection(connection: Connection): void;
}

/** The daemon says something every 15 seconds; a stream that is silent for longer is none. */
const silenceMs = 40_000;
const shortestPauseMs = 500;
const longestPauseMs = 15_000;

/** Follows the stream until the signal aborts. `retryNow` ends a pause at once. */
export function followEvents(listener: StreamListener, signal: AbortSignal): { readonly retryNow: () => void } {
  let lastId = "";
  let openedAt: number | undefined;
  let endPause = (): void => undefined;

  const readOnce = async (): Promise<void> => {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), silenceMs);
    try {
      const response = await ask("/events/stream", {
        headers: { accept: "text/event-stream", ...(lastId !== "" && { "last-event-id": lastId }) },
        signal: AbortSignal.any([signal, silence.signal]),
      });
      openedAt = Date.now();
      listener.connection({ state: "live" });
      listener.opened();
      const parser = createEventParser();
      const reader = (response.body ?? new ReadableStream<Uint8Array<ArrayBuffer>>()).pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMs);
        for (const event of parser.push(value)) {
          if (event.lastId !== "") lastId = event.lastId;
          listener.event(event);
        }
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  };

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const follow = async (): Promise<void> => {
    let failures = 0;
    let lostSince: number | undefined;
    while (!signal.aborted) {
      let problem = toProblem(new TypeError());
      openedAt = undefined;
      try {
        await readOnce();
      } catch (error) {
        problem = toProblem(error);
      }
      if (signal.aborted) return;
      const now = Date.now();
      if (openedAt !== undefined) {
        lostSince = now;
        // One that ends as soon as it began is no reason for haste.
        if (now - openedAt > longestPauseMs) failures = 0;
      }
      lostSince ??= now;
      // Without a token there is nothing to try; giving one ends the pause.
      const longest = problem.status === 401 ? Infinity : Math.min(longestPauseMs, shortestPauseMs * 2 ** failures);
      const waitMs = Math.min(longest * (0.6 + 0.4 * Math.random()), 2 ** 31 - 1);
      failures += 1;
      listener.connection({ state: "lost", since: lostSince, retryAt: now + waitMs, problem });
      await pause(waitMs);
    }
  };

  void follow();
  const retryNow = (): void => endPause();
  addEventListener("online", retryNow, { signal });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && retryNow(), { signal });
  return { retryNow };
}
