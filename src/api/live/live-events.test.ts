import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { fastify } from "fastify";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type EventClient, openEventSocket, openEventStream } from "../../../test/fixtures/event-clients.ts";
import { createHistoryBook, type HistoryBook } from "../../../test/fixtures/history-book.ts";
import { createManualClock, type ManualClock } from "../../../test/fixtures/manual-clock.ts";
import { sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { Cell } from "../../core/cell.ts";
import { silentLog } from "../../core/log.ts";
import type { Snapshot } from "../../core/radio.ts";
import type { StreamCounts } from "../metrics/api-counters.ts";
import { createSocketReply, parseFirstMessage } from "./event-socket.ts";
import { replyWithStream } from "./event-stream.ts";
import { mostStreams, openLiveEvents } from "./live-events.ts";
import { asksForWebSocket, createUpgrades } from "./upgrades.ts";

let folder: string;
let socketPath: string;
let server: Server;
let book: HistoryBook;
let clock: ManualClock;
let snapshots: Cell<Snapshot>;
let conditions: Cell<number>;
let counts: StreamCounts;
let lifetime: AbortController;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "aerial-live-"));
  socketPath = join(folder, "api.sock");
  book = createHistoryBook();
  clock = createManualClock();
  snapshots = new Cell(sampleSnapshot([], { revision: 7 }));
  conditions = new Cell(0);
  lifetime = new AbortController();
  const { signal } = lifetime;
  counts = { open: 0, cutOff: 0 };
  const live = openLiveEvents(
    { clock, log: silentLog, stored: book.stored, history: (query) => book.history(query), snapshots, hints: { conditions } },
    signal,
  );
  const upgrades = createUpgrades();
  const app = fastify();
  app.addHook("onRequest", async (asked, reply) => {
    void reply.header("x-content-type-options", "nosniff");
    return asked.headers["x-stranger"] === undefined ? undefined : reply.code(403).send({ status: 403 });
  });
  app.post("/echo", (asked) => asked.body);
  app.get("/api/v1/events/stream", { exposeHeadRoute: false }, (asked, reply) => replyWithStream({ live, counts }, asked, reply));
  app.get("/api/v1/events/socket", createSocketReply({ live, counts, clock, upgrades }, signal));
  await app.ready();
  server = createServer({ shouldUpgradeCallback: asksForWebSocket }, (asked, answer) => app.routing(asked, answer));
  upgrades.attach(server, app);
  server.listen(socketPath);
  await once(server, "listening");
});

afterEach(async () => {
  lifetime.abort();
  server.closeAllConnections();
  server.close();
  await clock.advance(2_000);
  rmSync(folder, { recursive: true, force: true });
});

const names = ({ events }: EventClient): readonly string[] => events.map(({ event }) => event);
const sequences = ({ events }: EventClient) => events.filter(({ event }) => event === "history").map(({ data }) => data["sequence"]);
const count = (wanted: number) => (events: readonly unknown[]) => events.length >= wanted;

async function ask(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<IncomingMessage & { readonly text: string }> {
  const asked = request({ socketPath, path, headers, method, agent: false });
  asked.end();
  const [answer] = (await Promise.race([
    once(asked, "response"),
    once(asked, "upgrade").then(() => Promise.reject(new Error("upgraded"))),
  ])) as [IncomingMessage];
  answer.setEncoding("utf8");
  let text = "";
  for await (const piece of answer) text += String(piece);
  return Object.assign(answer, { text });
}

const handshake = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

describe.each([
  ["server-sent events", openEventStream],
  ["WebSocket", openEventSocket],
])("%s", (_what, open) => {
  test("replay, then what comes, then after a break what was missed", async () => {
    book.append(300);
    const first = await open({ socketPath, after: "oldest" });
    await first.until(count(301));
    book.append(2);
    await first.until(count(303));
    first.drop();
    await first.closed;
    book.append(400);
    const second = await open({ socketPath, lastEventId: first.cursor() });
    await second.until(count(401));
    expect([...sequences(first), ...sequences(second)]).toEqual(book.entries.map(({ sequence }) => sequence));
    expect(first.events[1]).toEqual({
      event: "history",
      id: `${book.stored.current.historyId}.1`,
      data: { id: `${book.stored.current.historyId}.1`, ...book.entries[0] },
    });
  });

  test("begins with now, says what else changed, and what can't be gone on from", async () => {
    book.append(3);
    const client = await open({ socketPath, after: "now" });
    await client.until(count(1));
    snapshots.set(sampleSnapshot([], { revision: 8 }));
    conditions.set(1);
    conditions.set(2);
    await client.until(count(3));
    expect(client.events).toEqual([
      {
        event: "ready",
        id: `${book.stored.current.historyId}.3`,
        data: {
          from: `${book.stored.current.historyId}.3`,
          newest: `${book.stored.current.historyId}.3`,
          revisions: { radios: 7, conditions: 0 },
        },
      },
      { event: "radios", data: { revision: 8 } },
      { event: "conditions", data: { revision: 1 } },
    ]);
    conditions.set(3);
    conditions.set(4);
    await turn();
    expect(client.events).toHaveLength(3);
    await clock.advance(100);
    await client.until(count(4));
    expect(client.events[3]).toEqual({ event: "conditions", data: { revision: 2 } });
    book.replace();
    book.append(1);
    await client.until(count(6));
    expect(names(client).slice(4)).toEqual(["reset", "history"]);
  });

  test("what can't be read is refused in the query", async () => {
    await expect(open({ socketPath, after: "yesterday" })).rejects.toThrow("400");
    expect(counts.open).toBe(0);
  });

  test("ends when aerial does", async () => {
    const client = await open({ socketPath, after: "now" });
    await client.until(count(1));
    lifetime.abort();
    expect(await client.closed).toBe(open === openEventStream ? 0 : 1001);
  });

  test("there are only so many, and whoever goes makes room", async () => {
    const clients = await Promise.all(Array.from({ length: mostStreams }, () => open({ socketPath, after: "now" })));
    await expect(open({ socketPath, after: "now" })).rejects.toThrow("503");
    expect(counts.open).toBe(mostStreams);
    clients[0]?.drop();
    while (counts.open === mostStreams) await turn();
    const late = await open({ socketPath, after: "now" });
    await late.until(count(1));
    for (const client of [late, ...clients]) client.drop();
    while (counts.open > 0) await turn();
  });
});

describe("server-sent events", () => {
  test("the head, the time to wait, heartbeats", async () => {
    const asked = request({ socketPath, path: "/api/v1/events/stream", agent: false });
    asked.end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    expect(answer.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    let text = "";
    answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    while (!text.includes("ready")) await turn();
    expect(text).toMatch(/^retry: [12]\d{3}\n\nid: [0-9a-f-]{36}\.0\nevent: ready\ndata: \{.*\}\n\n$/);
    await clock.advance(15_000);
    while (!text.endsWith(": heartbeat\n\n")) await turn();
    asked.on("error", () => {}).destroy();
  });

  test("a header that can't be read is told in the stream: a browser would never come back", async () => {
    book.append(2);
    for (const lastEventId of ["garbage", "é".repeat(300)]) {
      const client = await openEventStream({ socketPath, lastEventId: Buffer.from(lastEventId).toString("latin1") });
      await client.until(count(4));
      expect(names(client)).toEqual(["ready", "reset", "history", "history"]);
      client.drop();
    }
  });

  test("the header goes before the query", async () => {
    book.append(5);
    const lastEventId = `${book.stored.current.historyId}.4`;
    const client = await openEventStream({ socketPath, after: "oldest", lastEventId });
    await client.until(count(2));
    expect(sequences(client)).toEqual([5]);
    client.drop();
  });
});

describe("WebSocket", () => {
  test("hooks hold for the upgrade", async () => {
    const answer = await ask("/api/v1/events/socket?after=now", { ...handshake, "x-stranger": "yes" });
    expect([answer.statusCode, answer.text, answer.headers.connection]).toEqual([403, '{"status":403}', "close"]);
  });

  test("who does not ask for one well is told what this is", async () => {
    for (const headers of [{}, { ...handshake, "sec-websocket-version": "8" }, { ...handshake, "sec-websocket-key": "short" }]) {
      const answer = await ask("/api/v1/events/socket", headers);
      expect([answer.statusCode, answer.headers.upgrade]).toEqual([426, "websocket"]);
      expect(JSON.parse(answer.text)).toMatchObject({ status: 426 });
    }
    const other = await ask("/api/v1/events/socket", { connection: "Upgrade", upgrade: "h2c" });
    expect(other.statusCode).toBe(426);
    expect(counts.open).toBe(0);
  });

  test("what else somebody may want to upgrade to is ignored, with the body of the request intact", async () => {
    const headers = {
      connection: "Upgrade, HTTP2-Settings",
      upgrade: "h2c",
      "http2-settings": "AAMAAABk",
      "content-type": "application/json",
    };
    const asked = request({ socketPath, path: "/echo", method: "POST", headers, agent: false });
    asked.end('{"a":1}');
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    let text = "";
    for await (const piece of answer.setEncoding("utf8")) text += String(piece);
    expect(text).toBe('{"a":1}');
  });

  test("another route does not mind being asked for one", async () => {
    expect((await ask("/nothing", handshake)).statusCode).toBe(404);
  });

  test.each([
    ["no JSON", "hello", 4400],
    ["another message", '{"after":"now","more":1}', 4400],
    ["no cursor", '{"after":"yesterday"}', 4400],
    ["bytes", Buffer.from('{"after":"now"}'), 1003],
    ["too much", " ".repeat(2_000), 1009],
  ])("closes on %s", async (_what, message, code) => {
    const socket = new WebSocket(`ws+unix://${socketPath}:/api/v1/events/socket`);
    await once(socket, "open");
    socket.send(message);
    expect((await once(socket, "close"))[0]).toBe(code);
    while (counts.open > 0) await turn();
  });

  test("closes on a second message, and when the first does not come", async () => {
    const talker = new WebSocket(`ws+unix://${socketPath}:/api/v1/events/socket?after=now`);
    await once(talker, "open");
    talker.send('{"after":"now"}');
    expect((await once(talker, "close"))[0]).toBe(4400);
    const silent = new WebSocket(`ws+unix://${socketPath}:/api/v1/events/socket`);
    await once(silent, "open");
    const closed = once(silent, "close");
    await clock.advance(10_000);
    expect((await closed)[0]).toBe(4408);
  });

  test("who does not answer a ping is gone", async () => {
    const url = `ws+unix://${socketPath}:/api/v1/events/socket?after=now`;
    const [alive, dead] = [new WebSocket(url), new WebSocket(url, { autoPong: false })];
    const pings: Buffer[] = [];
    alive.on("ping", (ping) => void pings.push(ping));
    const closed = once(dead, "close");
    await Promise.all([once(alive, "message"), once(dead, "message")]);
    for (const round of [1, 2, 3]) {
      await clock.advance(15_000);
      while (pings.length < round) await turn();
      // The answer has to get there.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await closed)[0]).toBe(1006);
    expect(counts.open).toBe(1);
    alive.terminate();
  });

  test("a first message is a beginning or nothing", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.json(),
          fc.json().map((json) => `{"after":${json}}`),
        ),
        (text) => {
          const found = parseFirstMessage(text);
          if (found !== undefined) expect(JSON.parse(text)).toEqual({ after: expect.any(String) });
        },
      ),
      { numRuns: 500 },
    );
    expect(parseFirstMessage('{"after":"oldest"}')).toBe("oldest");
    expect(parseFirstMessage('{"__proto__":{"after":"now"}}')).toBeUndefined();
  });

  test("whatever bytes come, the connection ends and the next is served", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 5 }), async (pieces) => {
        const asked = request({ socketPath, path: "/api/v1/events/socket?after=oldest", headers: handshake, agent: false });
        asked.end();
        const [, socket, head] = (await once(asked, "upgrade")) as [IncomingMessage, Socket, Buffer];
        expect(head.length).toBeGreaterThanOrEqual(0);
        socket.on("error", () => {}).resume();
        for (const piece of pieces) socket.write(piece);
        socket.end();
        if (!socket.destroyed) await once(socket, "close");
      }),
      { numRuns: 200 },
    );
    while (counts.open > 0) await turn();
    const client = await openEventSocket({ socketPath, after: "now" });
    await client.until(count(1));
    client.drop();
  });
});
