/** Lines of JSON for as long as somebody reads them: what all streams have in common. */
import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { Clock } from "../core/clock.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { StreamCounts } from "./metrics/api-counters.ts";
import { plainProblem, problemType } from "./problem.ts";

/** Without a line for so long, one is sent to find out whether the reader still lives. */
export const heartbeatMs = 15_000;
/** A reader that does not take what was written within this time is cut off. */
export const readerDeadlineMs = 10_000;

interface StreamOptions {
  readonly most: number;
  readonly what: string;
  readonly counts: StreamCounts;
}

/** Answers with a stream, to `most` readers at a time; the next is told so. `what` is what they are called. */
export function createStreamReply({ most, what, counts }: StreamOptions) {
  return async (reply: FastifyReply, stream: (response: ServerResponse) => Promise<void>): Promise<FastifyReply> => {
    if (counts.open >= most) {
      return reply
        .code(503)
        .type(problemType)
        .send(plainProblem(503, `there are ${most} ${what} already`));
    }
    counts.open += 1;
    reply.hijack();
    try {
      reply.raw.writeHead(200, { "content-type": "application/x-ndjson; charset=utf-8", "cache-control": "no-store" });
      await stream(reply.raw);
    } finally {
      counts.open -= 1;
    }
    return reply;
  };
}

/** What `wait` resolves to, or undefined when it takes longer or the signal aborts. */
export async function within<T>(
  clock: Clock,
  milliseconds: number,
  { wait, signal }: { wait: Promise<T>; signal: AbortSignal },
): Promise<T | undefined> {
  using timer = linkSignal(signal);
  const timeout = clock.sleep(milliseconds, timer.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([wait, timeout]);
  } finally {
    timer.abort(undefined);
  }
}
