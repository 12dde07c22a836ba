/** Counts what the API answers, at a cost that 10,000 requests a second do not feel. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiCounters, OperationCounts } from "./api-counters.ts";

/** What was asked that is no operation of the contract. */
const noOperation = "none";
/** Their length says how long somebody read, not how long we took. */
const streams: ReadonlySet<string> = new Set(["watchRadios", "streamEvents", "followEvents", "traceRelay"]);

/** Has to be called before the routes are added. */
export function countRequests(app: FastifyInstance, counters: ApiCounters): void {
  // A hook of each route has its counters at hand; one for all would have to look them up each time.
  app.addHook("onRoute", (route) => {
    const id = route.config?.operationId ?? noOperation;
    const counts = counters.operation(id);
    const timed = !streams.has(id);
    const others = route.onResponse === undefined ? [] : [route.onResponse].flat();
    const count = (_request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
      countAnswer(counts, reply.statusCode);
      if (timed) counts.durations.add(reply.elapsedTime / 1_000);
      done();
    };
    route.onResponse = [count, ...others];
  });
}

/** For what finds no route, and so has no hook. */
export function countUnrouted(counters: ApiCounters, status: number): void {
  countAnswer(counters.operation(noOperation), status);
}

function countAnswer({ answers }: OperationCounts, status: number): void {
  answers.set(status, (answers.get(status) ?? 0) + 1);
}
