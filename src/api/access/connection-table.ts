/**
 * The connections of one listener, bounded. To refuse new ones when there are enough would let anybody who opens many and
 * says nothing shut everybody else out, a kubelet's probe among them. So a new one is always taken, and room is made: of the
 * client with the most connections, the one goes that has kept us waiting for the longest. One that asks its question at
 * once is answered before its turn comes.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { clientOf } from "./client-address.ts";

export interface ConnectionLimits {
  /** Streams are not counted: those who write them have limits of their own. */
  readonly most: number;
  readonly mostPerClient: number;
  /** A request must have come whole within this time after the connection or the last answer. */
  readonly waitMs: number;
  /** An answer must have been taken whole within this time after it was given. */
  readonly readMs: number;
}

/** Disposing ends all connections. */
export interface ConnectionTable extends Disposable {
  /** Takes a new connection in; others may be cut off for it, or itself when all are being served. */
  add(socket: Socket): void;
  /** The headers of a request have come. Once its body has too, its connection is safe until the answer is taken. */
  serve(socket: Socket, exchange: HttpExchange): void;
  /** From now on it is no HTTP any more. */
  upgrade(socket: Socket): void;
  /** Connections that were cut off to make room. */
  readonly evicted: number;
  readonly size: number;
}

interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Connection {
  readonly socket: Socket;
  readonly client: string;
  /** Milliseconds of a clock that only runs forward; when it began to wait, or to be served. */
  since: number;
  /** The answer in the making. */
  serving?: ServerResponse | "upgraded" | undefined;
}

export interface TableDependencies {
  readonly limits: ConnectionLimits;
  /** Milliseconds of a clock that only runs forward. */
  readonly now: () => number;
}

export function createConnectionTable({ limits, now }: TableDependencies): ConnectionTable {
  /** Of each client those that wait and those that are served; waiting ones in the order in which they began to. */
  const waiting = new Map<string, Set<Connection>>();
  const serving = new Set<Connection>();
  const bySocket = new Map<Socket, Connection>();
  let evicted = 0;
  let timer: NodeJS.Timeout | undefined;

  const leave = (connection: Connection): void => {
    serving.delete(connection);
    const queue = waiting.get(connection.client);
    if (queue?.delete(connection) === true && queue.size === 0) waiting.delete(connection.client);
  };
  const wait = (connection: Connection): void => {
    leave(connection);
    connection.since = now();
    connection.serving = undefined;
    const queue = waiting.get(connection.client) ?? new Set();
    waiting.set(connection.client, queue.add(connection));
    // Runs only while somebody keeps us waiting: an idle daemon has no timer here.
    timer ??= setTimeout(expire, limits.waitMs).unref();
  };
  const remove = (connection: Connection): void => {
    leave(connection);
    bySocket.delete(connection.socket);
  };
  const cut = (connection: Connection): void => {
    remove(connection);
    connection.socket.destroy();
  };
  /** Ends whoever waits for too long, and sleeps until the next one's time. */
  function expire(): void {
    timer = undefined;
    const deadline = now() - limits.waitMs;
    let next: number | undefined;
    for (const queue of waiting.values()) {
      for (const connection of queue) {
        if (connection.since > deadline) {
          next = Math.min(next ?? connection.since, connection.since);
          break;
        }
        cut(connection);
      }
    }
    if (next !== undefined) timer = setTimeout(expire, Math.max(1, next - deadline)).unref();
  }

  const answer = (connection: Connection, response: ServerResponse | "upgraded"): void => {
    leave(connection);
    serving.add(connection);
    connection.since = now();
    connection.serving = response;
  };

  const longestWaiting = (): Connection | undefined => {
    let heaviest: Set<Connection> | undefined;
    for (const queue of waiting.values()) if (queue.size > (heaviest?.size ?? 0)) heaviest = queue;
    return first(heaviest);
  };
  /** Somebody who does not take an answer that is long there. */
  const slowestReader = (): Connection | undefined => {
    const deadline = now() - limits.readMs;
    for (const connection of serving) if (connection.since < deadline && !isStream(connection) && isGiven(connection)) return connection;
    return undefined;
  };
  const count = (): number => bySocket.size - [...serving].filter(isStream).length;

  const makeRoom = (connection: Connection): void => {
    const own = waiting.get(connection.client);
    if (own !== undefined && own.size > limits.mostPerClient) evict(first(own));
    // Streams are told apart only when it matters.
    if (bySocket.size <= limits.most || count() <= limits.most) return;
    const longest = longestWaiting();
    evict(longest === connection ? (slowestReader() ?? connection) : longest);
  };
  const evict = (connection: Connection | undefined): void => {
    if (connection === undefined) return;
    evicted += 1;
    cut(connection);
  };

  return {
    get evicted() {
      return evicted;
    },
    get size() {
      return bySocket.size;
    },
    add(socket) {
      const connection: Connection = { socket, client: clientOf(socket.remoteAddress), since: now() };
      bySocket.set(socket, connection);
      socket.once("close", () => remove(connection));
      wait(connection);
      makeRoom(connection);
    },
    serve(socket, { request, response }) {
      const connection = bySocket.get(socket);
      if (connection === undefined) return;
      let isOver = false;
      const begin = (): void => {
        if (!isOver && bySocket.has(socket)) answer(connection, response);
      };
      response.once("close", () => {
        isOver = true;
        // Requests may come one behind the other; the last one's answer counts.
        const isLast = connection.serving === undefined || connection.serving === response;
        if (isLast && bySocket.has(socket)) wait(connection);
      });
      if (hasBody(request)) request.once("end", begin);
      else begin();
    },
    upgrade(socket) {
      const connection = bySocket.get(socket);
      if (connection === undefined) return;
      answer(connection, "upgraded");
      // Turned away, or at its end: the other side is to close too.
      socket.once("finish", () => {
        if (bySocket.has(socket)) wait(connection);
      });
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const connection of bySocket.values()) cut(connection);
    },
  };
}

/** Headers are out and the end is not in sight, or it is a WebSocket. */
function isStream({ serving }: Connection): boolean {
  return serving === "upgraded" || (serving !== undefined && serving.headersSent && !serving.writableEnded);
}

/** The whole answer has been handed over. */
function isGiven({ serving }: Connection): boolean {
  return serving !== undefined && serving !== "upgraded" && serving.writableEnded;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

function first<T>(set: Iterable<T> | undefined): T | undefined {
  for (const item of set ?? []) return item;
  return undefined;
}
