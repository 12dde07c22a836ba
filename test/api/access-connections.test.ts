/** How long connections last: streams for as long as somebody reads them, silence for ten seconds, by each way in. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Entrance, entrances, type GuardedDaemon, openGuardedDaemon, tokens } from "./guarded-daemon.ts";

/** Beyond what any silence is given. */
const longMs = 13_000;

let daemon: GuardedDaemon;
beforeAll(async () => {
  daemon = await openGuardedDaemon();
});
afterAll(async () => daemon?.[Symbol.asyncDispose]());

function send(entrance: Entrance, path: string, headers: Readonly<Record<string, string>> = {}) {
  const target = daemon.target(entrance);
  const outgoing = (entrance === "tls" ? httpsRequest : httpRequest)({
    agent: false,
    ...target,
    path,
    headers: { authorization: `Bearer ${tokens.viewer}`, ...headers },
  });
  onTestFinished(() => void outgoing.destroy());
  outgoing.on("error", () => {});
  outgoing.end();
  return outgoing;
}

const isOpen = (stream: IncomingMessage | Duplex): boolean => !stream.destroyed && !stream.readableEnded;

test("streams and WebSockets go on, over every way in", async () => {
  const streams = await Promise.all(
    entrances.flatMap((entrance) =>
      ["/api/v1/watch", "/api/v1/events/stream"].map(async (path) => {
        const [response] = (await once(send(entrance, path), "response")) as [IncomingMessage];
        return { what: `${entrance} ${path}`, status: response.statusCode, stream: response.resume() as IncomingMessage | Duplex };
      }),
    ),
  );
  const sockets = await Promise.all(
    entrances.map(async (entrance) => {
      const key = randomBytes(16).toString("base64");
      const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": key };
      const [response, socket] = (await once(send(entrance, "/api/v1/events/socket?after=now", headers), "upgrade")) as [
        IncomingMessage,
        Duplex,
      ];
      onTestFinished(() => void socket.destroy());
      return { what: `${entrance} WebSocket`, status: response.statusCode, stream: socket.resume() as IncomingMessage | Duplex };
    }),
  );
  const all = [...streams, ...sockets];
  expect(streams.filter(({ status }) => status !== 200)).toEqual([]);
  expect(sockets.filter(({ status }) => status !== 101)).toEqual([]);
  await sleep(longMs);
  expect(all.filter(({ stream }) => !isOpen(stream)).map(({ what }) => what)).toEqual([]);
});

test("who says nothing, or half of it, or not what was agreed, is cut off in time", async () => {
  const says: readonly (readonly [entrance: Entrance, bytes: string])[] = [
    ["socket", ""],
    ["loopback", ""],
    ["plain", ""],
    ["tls", ""],
    ["tls", "\u0016\u0003\u0001\u0002\u0000\u0001"],
    ["plain", "GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n"],
    ["loopback", "POST /api/v1/rescan HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"],
    // Turned away, but never closing its end.
    ["plain", `GET /api/v1/events/socket HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`],
    ["plain", "GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"],
  ];
  const open = says.map(([entrance, bytes]): Socket => {
    const { socketPath, host, port } = daemon.target(entrance);
    const options = typeof socketPath === "string" ? { path: socketPath } : { host: String(host), port: Number(port) };
    const socket = connect({ ...options, allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    socket.write(bytes, "latin1");
    return socket.resume();
  });
  await sleep(longMs);
  // What is closed is noticed by writing to it.
  for (const socket of open) socket.write("x");
  await sleep(500);
  for (const socket of open) socket.write("x");
  await sleep(500);
  expect(says.filter((_said, index) => open[index]?.destroyed === false)).toEqual([]);
});
