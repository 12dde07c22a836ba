/** An HTTP server that cannot be filled up: its connections are bounded and timed, and it knows by which way they came in. */
import type { IncomingMessage, RequestListener, Server } from "node:http";
import type { createServer as CreateTlsServer } from "node:https";
import { createServer as createGate, type Server as GateServer, type Socket } from "node:net";
import { createServer } from "../../core/node-http.ts";
import { asksForWebSocket } from "../live/upgrades.ts";
import type { Access, Entrance } from "./access.ts";
import { clientOf, isLoopback } from "./client-address.ts";
import { type ConnectionLimits, type ConnectionTable, createConnectionTable } from "./connection-table.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { endWith, refuse } from "./refusal.ts";
import { setSecurityHeaders } from "./security-headers.ts";
import type { TlsSource } from "./tls-files.ts";

/** Loaded where it is used: it costs some MiB. */
export interface Tls {
  readonly source: TlsSource;
  readonly createServer: typeof CreateTlsServer;
}

export interface GuardedServerOptions {
  readonly handler: RequestListener;
  readonly access: Pick<Access, "enter">;
  readonly entrance: Entrance;
  readonly tls?: Tls | undefined;
  /** How often one client may connect. */
  readonly connectLimiter?: RateLimiter | undefined;
}

export interface GuardedServer {
  /** Listens; it does not yet. */
  readonly gate: GateServer;
  /** Speaks HTTP with those who were let in. */
  readonly server: Server;
  readonly connections: ConnectionTable;
}

/** Tokens of Kubernetes with many groups come to some KiB. */
const headerBytes = 16 * 1024;
const keepAliveMs = 5_000;
/** A request and a handshake are there within this time, or never. */
const waitMs = 10_000;
const handshakeMs = 5_000;

/**
 * Some 20 KiB each. One that asks at once is read before the next is accepted, and so could do with a place for a moment; the
 * others are for those far away, whose handshakes take their time.
 */
const most = 512;
const limits: Readonly<Record<Entrance["kind"], ConnectionLimits>> = {
  socket: { most, mostPerClient: most, waitMs, readMs: waitMs },
  // All of them come from the node itself.
  loopback: { most, mostPerClient: most, waitMs, readMs: waitMs },
  exposed: { most, mostPerClient: 64, waitMs, readMs: waitMs },
};

export function createGuardedServer({ handler, access, entrance, tls, connectLimiter }: GuardedServerOptions): GuardedServer {
  const now = (): number => performance.now();
  const connections = createConnectionTable({ limits: limits[entrance.kind], now });
  const onRequest: RequestListener = (request, response) => {
    access.enter(request.socket, entrance);
    connections.serve(connectionOf(request.socket), { request, response });
    setSecurityHeaders(request, response);
    handler(request, response);
  };
  // Limits of time are the table's: its timer runs only while somebody keeps it waiting.
  const options = {
    maxHeaderSize: headerBytes,
    keepAliveTimeout: keepAliveMs,
    headersTimeout: 0,
    requestTimeout: 0,
    shouldUpgradeCallback: asksForWebSocket,
  };
  const server =
    tls === undefined
      ? createServer(options, onRequest)
      : tls.createServer({ ...options, ...tls.source.initial, handshakeTimeout: handshakeMs }, onRequest);
  const connectionOf = tls === undefined ? (socket: Socket): Socket => socket : followHandshakes(server);

  const refuses = (socket: Socket): boolean => {
    // Kubernetes lets the kernel route what comes from outside to 127.0.0.1 (net.ipv4.conf.*.route_localnet).
    if (entrance.kind === "loopback" && !isLoopback(socket.remoteAddress)) return true;
    return connectLimiter !== undefined && connectLimiter.take(clientOf(socket.remoteAddress), now()) > 0;
  };
  const gate = createGate({ allowHalfOpen: tls === undefined, noDelay: true }, (socket) => {
    if (refuses(socket)) {
      socket.destroy();
      return;
    }
    const context = tls?.source.changed();
    if (context !== undefined && "setSecureContext" in server) server.setSecureContext(context);
    connections.add(socket);
    server.emit("connection", socket);
  });

  server.on("upgrade", (request: IncomingMessage) => {
    access.enter(request.socket, entrance);
    connections.upgrade(connectionOf(request.socket));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
    endWith(socket, refuse({ status, code: "api.malformed", detail: "the request is not valid HTTP or exceeds the limits" }));
  });
  return { gate, server, connections };
}

/** Gives the connection below a socket whose bytes are decrypted: both have the same other side. */
function followHandshakes(server: Server): (socket: Socket) => Socket {
  const byPeer = new Map<string, Socket>();
  const below = new WeakMap<Socket, Socket>();
  server.on("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    byPeer.set(peer, socket);
    socket.once("close", () => {
      if (byPeer.get(peer) === socket) byPeer.delete(peer);
    });
  });
  server.on("secureConnection", (socket: Socket) => {
    const connection = byPeer.get(peerOf(socket));
    if (connection === undefined) socket.destroy();
    else below.set(socket, connection);
  });
  return (socket) => below.get(socket) ?? socket;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
