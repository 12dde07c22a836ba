/** A hundred readers of live events, of which each goes and comes back at random, and a daemon that is killed meanwhile. */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EventClient, type LiveEvent, openEventSocket, openEventStream } from "../fixtures/event-clients.ts";
import { startLiveProcess } from "./live-process.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "aerial-live-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Page {
  readonly events: readonly ({ readonly id: string } & LiveEvent["data"])[];
  readonly next: string;
}

function get(socketPath: string, path: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.on("end", () => resolve(JSON.parse(text) as Page));
    });
    asked.on("error", reject).end();
  });
}

/** All that is stored, in order. */
async function readAll(socketPath: string): Promise<Page["events"]> {
  const all: Page["events"][number][] = [];
  for (let after = ""; ;) {
    const { events, next } = await get(socketPath, `/api/v1/events?limit=1000${after === "" ? "" : `&after=${after}`}`);
    if (events.length === 0) return all;
    all.push(...events);
    after = next;
  }
}

const between = (least: number, most: number): number => least + Math.random() * (most - least);

interface Account {
  readonly kind: "stream" | "socket";
  /** Ids in the order in which they came. */
  readonly ids: string[];
  connections: number;
  resets: number;
}

/** Follows until it has so many entries, leaving and coming back at random, with what it had last. */
async function followUntil(
  entries: number,
  kind: Account["kind"],
  { socketPath, check }: { socketPath: string; check: (event: LiveEvent) => void },
) {
  const account: Account = { kind, ids: [], connections: 0, resets: 0 };
  const open = kind === "stream" ? openEventStream : openEventSocket;
  const onEvent = (event: LiveEvent): void => {
    if (event.event === "reset") account.resets += 1;
    if (event.event !== "history") return;
    account.ids.push(event.id ?? "none");
    check(event);
  };
  while (account.ids.length < entries) {
    let client: EventClient;
    try {
      const last = account.ids.at(-1);
      client = await open({ socketPath, onEvent, ...(last === undefined ? { after: "oldest" } : { lastEventId: last }) });
    } catch {
      await sleep(between(10, 100));
      continue;
    }
    account.connections += 1;
    const enough = client.until(() => account.ids.length >= entries).catch(() => {});
    await Promise.race([enough, sleep(between(50, 4_000))]);
    client.drop();
    await client.closed;
  }
  return account;
}

test("each of 100 readers ends with exactly what is stored, through two kills", { timeout: 600_000 }, async () => {
  const entries = 10_000;
  const options = { directory, entries, perSecond: 700, kept: 2 * entries };
  let daemon = await startLiveProcess(options);
  const { socketPath } = daemon;
  /** The first who was told says what an entry is; all others have to be told the same. */
  const said = new Map<string, string>();
  const check = ({ id = "", data }: LiveEvent): void => {
    const text = JSON.stringify(data);
    if (!said.has(id)) said.set(id, text);
    if (said.get(id) !== text) throw new Error(`${id} was told in two ways`);
  };
  const following = Promise.all(
    Array.from({ length: 100 }, (_, index) => followUntil(entries, index % 2 === 0 ? "stream" : "socket", { socketPath, check })),
  );
  for (const newest of [3_000, 6_500]) {
    await daemon.until((word) => word.newest >= newest);
    await daemon.kill();
    await sleep(between(0, 500));
    daemon = await startLiveProcess(options);
  }
  await using last = daemon;
  await last.until(({ done }) => done);
  const accounts = await following;
  const stored = await readAll(socketPath);
  const ids = stored.map(({ id }) => id);
  expect(ids).toHaveLength(entries);
  for (const account of accounts) expect(account.ids).toEqual(ids);
  expect(accounts.reduce((sum, { resets }) => sum + resets, 0)).toBe(0);
  for (const event of stored) expect(JSON.parse(said.get(event.id) ?? "{}")).toEqual(event);
  const connections = accounts.reduce((sum, account) => sum + account.connections, 0);
  expect(connections).toBeGreaterThan(300);
  console.log(`100 readers, ${entries} events, ${connections} connections, 2 kills: each reader has the ${ids.length} stored events`);
});

/** Of the last entry that came. */
function sequenceOf(events: readonly LiveEvent[]): number {
  return Number(events.findLast(({ event }) => event === "history")?.data["sequence"] ?? 0);
}

/** Asks and then never reads. */
function openMute(socketPath: string, kind: Account["kind"]): Socket {
  const socket = connect(socketPath);
  const upgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  socket.pause().on("error", () => {});
  socket.write(`GET /api/v1/events/${kind}?after=oldest HTTP/1.1\r\nHost: localhost\r\n${kind === "socket" ? upgrade : ""}\r\n`);
  return socket;
}

test("20 readers that never read are cut off and cost next to nothing", { timeout: 180_000 }, async () => {
  const entries = 10_000;
  await using daemon = await startLiveProcess({ directory, entries, kept: 2 * entries });
  const { socketPath } = daemon;
  // What one reader costs by itself is there before.
  const reader = await openEventStream({ socketPath, after: "oldest" });
  await reader.until((events) => events.length > 3_000);
  const before = await daemon.ask();
  const mutes = Array.from({ length: 20 }, (_, index) => openMute(socketPath, index % 2 === 0 ? "stream" : "socket"));
  let most = before.residentBytes;
  const after = await daemon.until(({ done, residentBytes, streams }) => {
    most = Math.max(most, residentBytes);
    return done && streams === 1;
  });
  await reader.until((events) => sequenceOf(events) === entries);
  reader.drop();
  for (const mute of mutes) mute.destroy();
  expect(after.cutOff).toBe(20);
  expect(reader.events.filter(({ event }) => event === "history")).toHaveLength(entries);
  const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
  console.log(
    `20 readers that never read: ${mib(before.residentBytes)} MiB before, ${mib(most)} MiB at most, ${mib(after.residentBytes)} MiB after they were cut off`,
  );
  // To keep it all for them would be 20 × 10,000 × 550 bytes: 105 MiB.
  expect(mib(most - before.residentBytes)).toBeLessThan(32);
});

test("retention takes away what a reader is at: it is told of the gap, and of everything after it", { timeout: 120_000 }, async () => {
  const [entries, kept] = [6_000, 500];
  await using daemon = await startLiveProcess({ directory, entries, kept });
  const { socketPath } = daemon;
  const seen: LiveEvent[] = [];
  const last = (): number => sequenceOf(seen);
  let cursor: string | undefined;
  while (last() < entries) {
    const onEvent = (event: LiveEvent): void => void seen.push(event);
    const client = await openEventStream({
      socketPath,
      onEvent,
      ...(cursor === undefined ? { after: "oldest" } : { lastEventId: cursor }),
    });
    const had = last();
    await client.until(() => last() > had);
    client.drop();
    await client.closed;
    cursor = client.cursor();
    // Away until what comes next for it is gone.
    await daemon.until(({ newest, done }) => done || newest > last() + kept);
  }
  let place = 0;
  let gaps = 0;
  for (const { event, data } of seen) {
    if (event === "reset") {
      expect(data["reason"]).toBe("expired");
      gaps += 1;
      place += Number(data["missed"]);
    }
    if (event !== "history") continue;
    if (place > 0) expect(data["sequence"]).toBe(place + 1);
    place = Number(data["sequence"]);
  }
  expect(gaps).toBeGreaterThan(0);
});
