/** Live events as server-sent events: WHATWG HTML §9.2. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { StreamCounts } from "../metrics/api-counters.ts";
import { plainProblem, problemType } from "../problem.ts";
import { type Beginning, parseBeginning } from "./cursor.ts";
import type { EventFrame } from "./event-frame.ts";
import type { Outlet } from "./event-reader.ts";
import { type LiveEvents, mostStreams } from "./live-events.ts";

/** How long a browser waits before it comes back; spread, so that after a restart not all come at once. */
const retryMs = { least: 1_000, most: 3_000 } as const;
const heartbeat = Buffer.from(": heartbeat\n\n");

export interface StreamSources {
  readonly live: LiveEvents;
  readonly counts: StreamCounts;
}

export interface StreamQuery {
  readonly after?: string;
}

/**
 * Answers with the stream, or 400 when `after` is no cursor, or 503 when there are too many readers. The header goes before the query: a browser that
 * comes back still asks for the address it had at first.
 */
export async function replyWithStream(
  { live, counts }: StreamSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const beginning = readBeginning(request);
  if (beginning === undefined) return sendProblem(reply, 400, "`after` is no cursor; it is the id of an event, or `now`, or `oldest`");
  const seat = live.takeSeat(counts);
  if (seat === undefined) return refuse(reply);
  reply.hijack();
  const { raw } = reply;
  raw.on("error", () => {}).once("close", () => seat.leave());
  if (raw.destroyed) {
    seat.leave();
    return reply;
  }
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...streamHeaders });
  raw.write(`retry: ${Math.round(retryMs.least + Math.random() * (retryMs.most - retryMs.least))}\n\n`);
  const outlet: Outlet = {
    send(frames, taken) {
      const bytes = joinFrames(frames);
      raw.write(bytes, () => taken(bytes.length));
      return bytes.length;
    },
    heartbeat(taken) {
      raw.write(heartbeat, () => taken(heartbeat.length));
      return heartbeat.length;
    },
    end: () => void raw.end(),
    cut: () => void raw.destroy(),
  };
  seat.begin(outlet, beginning);
  return reply;
}

/** What is answered when there are too many readers. */
export function refuse(reply: FastifyReply): FastifyReply {
  return sendProblem(reply.header("retry-after", "10"), 503, `there are ${mostStreams} readers of live events already`);
}

export function sendProblem(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return reply.code(status).type(problemType).send(plainProblem(status, detail));
}

const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx and those who do as it does would hold events back.
  "x-accel-buffering": "no",
} as const;

function readBeginning({ headers, query }: FastifyRequest): Beginning | "unreadable" | undefined {
  const last = headers["last-event-id"];
  // Browsers never come back once they were answered with an error: what can't be read is told in the stream.
  if (typeof last === "string" && last !== "") return parseBeginning(last) ?? "unreadable";
  const { after } = query as StreamQuery;
  return after === undefined ? "now" : parseBeginning(after);
}

const joined = new WeakMap<readonly EventFrame[], Buffer>();

/** What goes to many is joined once. */
function joinFrames(frames: readonly EventFrame[]): Buffer {
  const [first] = frames;
  if (frames.length === 1 && first !== undefined) return first.stream;
  let bytes = joined.get(frames);
  if (bytes === undefined) {
    bytes = Buffer.concat(frames.map(({ stream }) => stream));
    joined.set(frames, bytes);
  }
  return bytes;
}
