/** The watch protocol: one JSON object a line, for as long as the server likes (Kubernetes API concepts, "Efficient detection of changes"). */
import type { IncomingMessage } from "node:http";
import type { Clock } from "../core/clock.ts";
import { AerialError } from "../core/errors.ts";
import { type Deadline, openDeadline } from "./deadline.ts";
import { type Exchange, type KubeObject, cutShort, largestBody, parseObject } from "./exchange.ts";
import { type Asked, toRefusal } from "./refusal.ts";

export interface WatchEvent {
  /** A `BOOKMARK` carries nothing but a resourceVersion. */
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: KubeObject;
}

/** The server is asked to end the stream after this long, spread so that a cluster's nodes do not all return at once. */
const streamSeconds = { least: 300, spread: 300 };
/** How long the server may take to begin, and to end after it should have. */
const graceMs = 30_000;

export interface WatchRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly open: (exchange: Exchange, signal: AbortSignal) => Promise<IncomingMessage>;
}

/** See `Kube.watch`. */
export async function openWatch({ path, query, clock, open }: WatchRequest, outer: AbortSignal): Promise<AsyncIterable<WatchEvent>> {
  const seconds = Math.round(streamSeconds.least + Math.random() * streamSeconds.spread);
  const exchange: Exchange = {
    method: "GET",
    path,
    query: { ...query, watch: "true", allowWatchBookmarks: "true", timeoutSeconds: String(seconds) },
  };
  const deadline = openDeadline({ clock, milliseconds: graceMs, asked: exchange }, outer);
  try {
    const response = await open(exchange, deadline.signal);
    deadline.extend(seconds * 1_000 + graceMs);
    // Finds a server that went away without a word.
    response.socket.setKeepAlive(true, graceMs);
    return eventsOf({ response, exchange, deadline });
  } catch (error) {
    deadline[Symbol.dispose]();
    deadline.signal.throwIfAborted();
    throw error;
  }
}

interface OpenWatch {
  readonly response: IncomingMessage;
  readonly exchange: Exchange;
  readonly deadline: Deadline;
}

async function* eventsOf({ response, exchange, deadline }: OpenWatch): AsyncGenerator<WatchEvent> {
  try {
    for await (const line of linesOf(response, exchange)) yield toEvent(line, exchange);
  } catch (error) {
    deadline.signal.throwIfAborted();
    throw cutShort(error, exchange);
  } finally {
    response.destroy();
    deadline[Symbol.dispose]();
  }
}

async function* linesOf(chunks: AsyncIterable<Buffer>, asked: Asked): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString();
      parts = [];
      size = 0;
      rest = rest.subarray(end + 1);
      if (line.trim() !== "") yield line;
    }
    size += rest.length;
    if (size > largestBody) {
      throw new AerialError("kube.protocol", `an event of ${asked.path} is larger than ${largestBody} bytes`);
    }
    if (rest.length > 0) parts.push(rest);
  }
  if (Buffer.concat(parts).toString().trim() !== "") {
    throw new AerialError("kube.protocol", `the watch of ${asked.path} was cut short`);
  }
}

function toEvent(line: string, asked: Asked): WatchEvent {
  const { type, object } = parseObject(line, asked);
  if (typeof object !== "object" || object === null) throw badEvent(asked);
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
    case "BOOKMARK":
      return { type, object: object as KubeObject };
    case "ERROR": {
      const { code } = object as { readonly code?: unknown };
      throw toRefusal(typeof code === "number" ? code : 500, object, asked);
    }
    default:
      throw badEvent(asked);
  }
}

function badEvent({ path }: Asked): AerialError {
  return new AerialError("kube.protocol", `the watch of ${path} sent something that is no watch event`);
}
