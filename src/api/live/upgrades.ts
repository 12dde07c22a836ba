/**
 * Upgrades go the way of every request: through the router, with all hooks, so that who may not ask may not upgrade either.
 * Only then does the route take the socket over.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { ServerResponse } from "../../core/node-http.ts";

export interface Upgrade {
  readonly socket: Duplex;
  /** What came after the request's head already. */
  readonly head: Buffer;
}

export interface Upgrades {
  /** Lets requests that ask for an upgrade in. */
  attach(server: Server, app: FastifyInstance): void;
  /** The socket of such a request, which is the caller's from now on; undefined when it did not ask or is gone. */
  take(request: IncomingMessage, reply: FastifyReply): Upgrade | undefined;
}

export function createUpgrades(): Upgrades {
  const waiting = new WeakMap<IncomingMessage, Upgrade>();
  return {
    attach(server, app) {
      server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        // A socket that breaks without a listener would end the process.
        socket.on("error", () => socket.destroy());
        waiting.set(request, { socket, head });
        const response = new ServerResponse(request);
        response.shouldKeepAlive = false;
        response.assignSocket(socket as Parameters<typeof response.assignSocket>[0]);
        response.once("finish", () => socket.end());
        app.routing(request, response);
      });
    },
    take(request, reply) {
      const upgrade = waiting.get(request);
      if (upgrade === undefined || upgrade.socket.destroyed) return undefined;
      waiting.delete(request);
      reply.hijack();
      reply.raw.detachSocket(upgrade.socket as Parameters<typeof reply.raw.detachSocket>[0]);
      return upgrade;
    },
  };
}

/** What Node hands to `upgrade` listeners; for anything else the header is ignored (RFC 9110 §7.8). */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
}
