/** Live events over a WebSocket (RFC 6455): the same events, each a message. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { RawData, WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../core/clock.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import { type Beginning, parseBeginning } from "./cursor.ts";
import type { Outlet } from "./event-reader.ts";
import { refuse, sendProblem, type StreamQuery, type StreamSources } from "./event-stream.ts";
import type { Seat } from "./live-events.ts";
import type { Upgrade, Upgrades } from "./upgrades.ts";

/** RFC 6455 §7.4.1, and of ours. Who is cut off for being too slow gets none. */
const closeCodes = {
  /** aerial stops: come back. */
  goingAway: 1001,
  /** Messages are JSON text. */
  unsupported: 1003,
  /** The first message was no beginning, or there was a second. */
  notUnderstood: 4400,
  /** No first message came. */
  noBeginning: 4408,
} as const;

/** A beginning is a hundred bytes; what is longer closes with 1009. */
const mostMessageBytes = 1_024;
const firstMessageMs = 10_000;
/** How long the other side may take to answer a close. */
const closeMs = 1_000;

export interface SocketSources extends StreamSources {
  readonly clock: Clock;
  readonly upgrades: Upgrades;
}

/** Answers 101 and then with events, or 400, 426 or 503 with a problem. Streams end when the signal aborts. */
export function createSocketReply({ live, counts, clock, upgrades }: SocketSources, signal: AbortSignal) {
  let server: WebSocketServer | undefined;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { after } = request.query as StreamQuery;
    const asked = after === undefined ? undefined : parseBeginning(after);
    if (after !== undefined && asked === undefined)
      return sendProblem(reply, 400, "`after` is no cursor; it is the id of an event, or `now`, or `oldest`");
    if (!offersWebSocket(request)) {
      return sendProblem(
        reply.header("upgrade", "websocket"),
        426,
        "this is a WebSocket of version 13; /api/v1/events/stream has the same",
      );
    }
    // Loaded with the first who asks: alone, aerial has no use for it.
    server ??= await openServer();
    const seat = live.takeSeat(counts);
    if (seat === undefined) return refuse(reply);
    const upgrade = upgrades.take(request.raw, reply);
    if (upgrade === undefined) {
      seat.leave();
      return sendProblem(reply, 426, "the connection can't be upgraded");
    }
    upgrade.socket.once("close", () => seat.leave());
    server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
      void serve({ socket, upgrade, seat, clock }, asked, signal);
    });
    return reply;
  };
}

async function openServer(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import("ws");
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: mostMessageBytes,
    perMessageDeflate: false,
  });
}

/** RFC 6455 §4.2.1. */
function offersWebSocket({ method, headers }: FastifyRequest): boolean {
  const key = headers["sec-websocket-key"];
  return (
    method === "GET" &&
    headers.upgrade?.toLowerCase() === "websocket" &&
    headers["sec-websocket-version"] === "13" &&
    key !== undefined &&
    /^[+/0-9A-Za-z]{22}==$/.test(key)
  );
}

interface Connection {
  readonly socket: WebSocket;
  readonly upgrade: Upgrade;
  readonly seat: Seat;
  readonly clock: Clock;
}

async function serve({ socket, upgrade, seat, clock }: Connection, asked: Beginning | undefined, signal: AbortSignal): Promise<void> {
  // `ws` closes with the right code by itself; `close` follows.
  socket.on("error", () => seat.leave());
  let begun = asked !== undefined;
  using waiting = linkSignal(signal);
  const open = new AbortController();
  socket.once("close", () => {
    open.abort();
    waiting.abort(undefined);
  });
  const close = (code: number, reason: string): void => {
    seat.leave();
    socket.close(code, reason);
    clock.sleep(closeMs, open.signal).then(
      () => socket.terminate(),
      () => {},
    );
  };
  const outlet = createSocketOutlet({ socket, upgrade, close });
  socket.on("message", (data: RawData, isBinary: boolean) => {
    if (isBinary || !Buffer.isBuffer(data)) return close(closeCodes.unsupported, "messages are JSON text");
    const beginning = begun ? undefined : parseFirstMessage(data.toString("utf8"));
    if (beginning === undefined) return close(closeCodes.notUnderstood, 'send {"after":"CURSOR"}, once, and nothing else');
    begun = true;
    waiting.abort(undefined);
    seat.begin(outlet, beginning);
  });
  if (asked !== undefined) return seat.begin(outlet, asked);
  await clock.sleep(firstMessageMs, waiting.signal).catch(() => {});
  if (signal.aborted) outlet.end();
  else if (!begun) close(closeCodes.noBeginning, 'send {"after":"CURSOR"}, or ask with ?after=');
}

/** What a first message asks for; undefined for anything else than `{"after": "CURSOR"}`. */
export function parseFirstMessage(text: string): Beginning | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof message !== "object" || message === null || !("after" in message)) return undefined;
  const { after } = message;
  return Object.keys(message).length === 1 && typeof after === "string" ? parseBeginning(after) : undefined;
}

interface SocketOutlet extends Pick<Connection, "socket" | "upgrade"> {
  readonly close: (code: number, reason: string) => void;
}

function createSocketOutlet({ socket, upgrade, close }: SocketOutlet): Outlet {
  const raw = upgrade.socket;
  let unanswered = false;
  socket.on("pong", () => {
    unanswered = false;
  });
  return {
    send(frames, taken) {
      let bytes = 0;
      raw.cork();
      for (const [index, { message }] of frames.entries()) {
        bytes += message.length;
        const last = index === frames.length - 1;
        socket.send(message, { binary: false }, last ? () => taken(bytes) : undefined);
      }
      raw.uncork();
      return bytes;
    },
    heartbeat() {
      if (unanswered) socket.terminate();
      else socket.ping();
      unanswered = true;
      return 0;
    },
    end: () => close(closeCodes.goingAway, "aerial stops"),
    cut: () => socket.terminate(),
  };
}
