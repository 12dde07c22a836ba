/** What a page that follows live is told by the whole daemon, from a plug to the end. */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type LiveEvent, openEventSocket, openEventStream } from "../fixtures/event-clients.ts";
import { sonoffDonglePlus } from "../lab/sticks.ts";
import { aerialOnLab } from "../light/aerial-on-lab.ts";
import { openNamespaceLab } from "../light/namespace-lab.ts";

const has = (event: string, type?: string) => (events: readonly LiveEvent[]) =>
  events.some((one) => one.event === event && (type === undefined || one.data["type"] === type));

test("a plug, an examination, the end", { timeout: 120_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "aerial-live-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const socketPath = join(directory, "aerial.sock");
  const lab = stack.use(await openNamespaceLab());
  const daemon = await aerialOnLab(lab, { AERIAL__API__SOCKET: socketPath }).start();
  const stream = await openEventStream({ socketPath });
  const socket = await openEventSocket({ socketPath, lastEventId: "now" });
  // Says nothing, reads nothing, and would not answer a close.
  const mute = stack.adopt(connect(socketPath), (one) => void one.destroy());
  mute.on("error", () => {}).pause();
  mute.write(
    "GET /api/v1/events/socket?after=now HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await Promise.all([stream.until(has("ready")), socket.until(has("ready"))]);

  await lab.plug(sonoffDonglePlus, { port: 1 });
  for (const client of [stream, socket]) {
    await client.until(has("history", "attached"));
    await client.until(has("history", "identified"));
    await client.until(has("radios"));
  }
  const histories = [stream, socket].map(({ events }) => events.filter(({ event }) => event === "history"));
  expect(histories[0]).toEqual(histories[1]);

  const status = await new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: "/api/v1/doctor", method: "POST" }, (answer) => resolve(answer.resume().statusCode));
    asked.on("error", reject).end();
  });
  expect(status).toBe(200);
  await Promise.all([stream.until(has("findings")), socket.until(has("findings"))]);

  // SIGTERM; rejects unless it ends well and in time.
  await daemon[Symbol.asyncDispose]();
  expect(await socket.closed).toBe(1001);
  await stream.closed;
});
