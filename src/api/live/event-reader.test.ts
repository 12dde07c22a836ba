import fc from "fast-check";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createHistoryBook, type HistoryBook } from "../../../test/fixtures/history-book.ts";
import { formatCursor, parseCursor, type Beginning } from "./cursor.ts";
import { type EventFrame, type HintName, toHintFrame } from "./event-frame.ts";
import { createEventReader, heartbeatSeconds, mostQueuedBytes, stalledAfterSeconds } from "./event-reader.ts";
import { createHistoryFeed } from "./history-feed.ts";

interface Told {
  readonly event: string;
  readonly id?: string;
  readonly data: Record<string, unknown>;
}

/** A reader whose connection takes bytes when it is told to. */
function createWorld(book: HistoryBook) {
  const feed = createHistoryFeed(book);
  const hints = new Map<HintName, { revision: number; frame: EventFrame }>();
  const log: string[] = [];
  return {
    feed,
    hints,
    log,
    read(beginning: Beginning | "unreadable") {
      const told: Told[] = [];
      let waiting: (() => void)[] = [];
      let [queued, mostQueued, heartbeats] = [0, 0, 0];
      const send = (bytes: number, taken: (bytes: number) => void): number => {
        queued += bytes;
        mostQueued = Math.max(mostQueued, queued);
        waiting.push(() => {
          queued -= bytes;
          taken(bytes);
        });
        return bytes;
      };
      const reader = createEventReader(
        {
          feed,
          hints,
          extent: () => book.stored.current,
          onFailure: (error) => void log.push(String(error)),
        },
        {
          send(frames, taken) {
            told.push(...frames.map(({ message }) => JSON.parse(message.toString()) as Told));
            return send(
              frames.reduce((sum, { message }) => sum + message.length, 0),
              taken,
            );
          },
          heartbeat(taken) {
            heartbeats += 1;
            return send(1, taken);
          },
          end: () => void log.push("ended"),
          cut: () => void log.push("cut"),
        },
        beginning,
      );
      return {
        reader,
        told,
        get mostQueued() {
          return mostQueued;
        },
        get heartbeats() {
          return heartbeats;
        },
        /** The connection takes what it was given. */
        take() {
          const takes = waiting;
          waiting = [];
          for (const one of takes) one();
        },
        /** Takes until there is nothing more. */
        async drain() {
          do {
            this.take();
            await turn();
          } while (waiting.length > 0);
        },
        get sequences() {
          return told.filter(({ event }) => event === "history").map(({ data }) => data["sequence"]);
        },
        get events() {
          return told.map(({ event }) => event);
        },
      };
    },
  };
}

const sequences = (book: HistoryBook): readonly number[] => book.entries.map(({ sequence }) => sequence);

describe("where it begins", () => {
  const book = createHistoryBook();
  book.append(10);
  book.forget(3);
  const { historyId } = book.stored.current;
  const at = (sequence: number): string => formatCursor({ historyId, sequence });
  const world = createWorld(book);

  const all = Array.from({ length: 7 }, () => "history");
  test.each([
    { what: "now", beginning: "now" as const, events: [], from: 10 },
    { what: "the oldest that is kept", beginning: "oldest" as const, events: all, from: 3 },
    { what: "a place it has", beginning: { historyId, sequence: 8 }, events: ["history", "history"], from: 8 },
    { what: "just before the oldest", beginning: { historyId, sequence: 3 }, events: all, from: 3 },
    { what: "a place whose next is forgotten", beginning: { historyId, sequence: 2 }, events: ["reset", ...all], from: 3 },
    { what: "the future", beginning: { historyId, sequence: 11 }, events: ["reset", ...all], from: 3 },
    {
      what: "another history",
      beginning: { historyId: "0b5a2c1e-5f0c-4a1d-9d5c-2f1f3c1a7e10", sequence: 8 },
      events: ["reset", ...all],
      from: 3,
    },
    { what: "nonsense", beginning: "unreadable" as const, events: ["reset", ...all], from: 3 },
  ])("$what", async ({ beginning, events, from }) => {
    const one = world.read(beginning);
    await one.drain();
    expect(one.events).toEqual(["ready", ...events]);
    expect(one.told[0]).toEqual({ event: "ready", id: at(from), data: { from: at(from), newest: at(10), revisions: {} } });
    if (events[0] === "reset") expect(one.told[1]?.id).toBe(at(from));
    expect(one.sequences).toEqual(sequences(book).filter((sequence) => sequence > from));
  });

  test.each([
    { reason: "expired", beginning: { historyId, sequence: 0 }, missed: 3 },
    { reason: "ahead", beginning: { historyId, sequence: 99 } },
    { reason: "other-history", beginning: { historyId: historyId.replace("0", "1"), sequence: 8 } },
    { reason: "unreadable", beginning: "unreadable" as const },
  ])("a reset says that it is $reason", ({ beginning, ...reset }) => {
    expect(world.read(beginning).told[1]?.data).toEqual({ ...reset, from: at(3), text: expect.stringMatching(/\w/) });
  });
});

test("a slow reader gets no more than it may have waiting, and the rest from the database", async () => {
  const book = createHistoryBook();
  book.append(5_000);
  const one = createWorld(book).read("oldest");
  for (let round = 0; round < 20; round += 1) await turn();
  const page = 128 * 400;
  expect(one.mostQueued).toBeLessThan(mostQueuedBytes + page);
  expect(one.sequences.length).toBeLessThan(1_000);
  await one.drain();
  expect(one.mostQueued).toBeLessThan(mostQueuedBytes + page);
  expect(one.sequences).toEqual(sequences(book));
});

test("a reader that takes nothing is cut off, one that takes little is not", () => {
  const book = createHistoryBook();
  const world = createWorld(book);
  const [stuck, slow] = [world.read("now"), world.read("now")];
  const cutAt: number[] = [];
  for (let second = 1; second <= 3 * stalledAfterSeconds; second += 1) {
    book.append(1);
    for (const { reader } of [stuck, slow]) reader.pump();
    if (second % (stalledAfterSeconds - 1) === 0) slow.take();
    if (stuck.reader.tick()) cutAt.push(second);
    expect(slow.reader.tick()).toBe(false);
  }
  expect(cutAt).toEqual([stalledAfterSeconds]);
  expect(world.log).toEqual(["cut"]);
  expect(stuck.sequences).toHaveLength(stalledAfterSeconds);
});

test("silence is broken by heartbeats", () => {
  const book = createHistoryBook();
  const one = createWorld(book).read("now");
  const second = (): void => {
    one.take();
    one.reader.tick();
  };
  for (let seconds = 0; seconds < heartbeatSeconds - 1; seconds += 1) second();
  book.append(1);
  one.reader.pump();
  for (let seconds = 0; seconds < heartbeatSeconds - 1; seconds += 1) second();
  expect(one.heartbeats).toBe(0);
  second();
  expect(one.heartbeats).toBe(1);
});

test("hints are the newest of their kind, after the history they go with", async () => {
  const book = createHistoryBook();
  const world = createWorld(book);
  const one = world.read("now");
  book.append(2_000);
  for (const revision of [1, 2, 3]) {
    world.hints.set("radios", { revision, frame: toHintFrame("radios", revision) });
    one.reader.hint("radios");
    one.reader.pump();
  }
  await one.drain();
  expect(one.events.slice(-2)).toEqual(["history", "radios"]);
  expect(one.told.filter(({ event }) => event === "radios")).toEqual([{ event: "radios", data: { revision: 3 } }]);
  expect(world.read("now").told[0]?.data["revisions"]).toEqual({ radios: 3 });
});

test("a disk that can't be read ends the reader, which may come back", async () => {
  const book = createHistoryBook();
  const world = createWorld(book);
  const one = world.read("now");
  book.append(1);
  book.failWith(new Error("no disk"));
  one.reader.pump();
  expect(world.log).toEqual(["ended", "Error: no disk"]);
  book.failWith(undefined);
  const again = world.read(parseCursor(one.told[0]?.id ?? "") ?? "unreadable");
  await again.drain();
  expect(again.sequences).toEqual([1]);
});

test("wherever a reader is, it goes on with the next", () => {
  const book = createHistoryBook();
  const world = createWorld(book);
  world.read("now");
  book.append(400);
  world.feed.read({ historyId: book.stored.current.historyId, sequence: 400 });
  book.append(400);
  const { historyId, newest } = book.stored.current;
  for (let sequence = 0; sequence < newest; sequence += 1) {
    const { frames, after } = world.feed.read({ historyId, sequence });
    const found = frames.map(({ message }) => (JSON.parse(message.toString()) as Told).data["sequence"]);
    expect(found).toEqual(found.map((_sequence, index) => sequence + 1 + index));
    expect(found.at(-1)).toBe(after.sequence);
  }
});

test("of much that is new at once, only what is kept ready is read at once", () => {
  const book = createHistoryBook();
  const { feed } = createWorld(book);
  book.append(5_000);
  const { historyId, newest } = book.stored.current;
  feed.read({ historyId, sequence: newest });
  expect(book.read).toBe(512);
});

test("what many replay side by side is read once for all", async () => {
  const book = createHistoryBook();
  book.append(5_000);
  const world = createWorld(book);
  const readers = Array.from({ length: 20 }, () => world.read("oldest"));
  await Promise.all(readers.map((reader) => reader.drain()));
  for (const reader of readers) expect(reader.sequences).toEqual(sequences(book));
  expect(book.read).toBeLessThan(6_000);
});

test("entries of one history are never told as those of another", async () => {
  const book = createHistoryBook();
  book.append(3_000);
  const world = createWorld(book);
  const before = world.read("oldest");
  await before.drain();
  book.replace();
  book.append(3_000);
  const after = world.read("oldest");
  await after.drain();
  book.breakAtNextReading(2_000);
  const during = world.read({ historyId: book.stored.current.historyId, sequence: 700 });
  during.reader.pump();
  await during.drain();
  for (const { told } of [before, after, during]) {
    let place = told[0]?.id ?? "";
    for (const { event, id = "", data } of told) {
      const historyId = parseCursor(place)?.historyId;
      if (event === "history") {
        expect(parseCursor(id)).toEqual({ historyId, sequence: data["sequence"] });
        expect(data["radioId"]).toBe(historyId);
      }
      place = id;
    }
  }
  expect(during.told.at(-1)?.id).toBe(formatCursor({ historyId: book.stored.current.historyId, sequence: 2_000 }));
});

test("what is new is read once for all", () => {
  const book = createHistoryBook();
  const world = createWorld(book);
  const readers = Array.from({ length: 50 }, () => world.read("now"));
  for (let round = 0; round < 100; round += 1) {
    book.append(1);
    for (const { reader } of readers) reader.pump();
  }
  expect(book.read).toBe(100);
});

const step = fc.oneof(
  fc.record({ append: fc.integer({ min: 1, max: 700 }) }),
  fc.record({ forget: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ pump: fc.nat(2) }),
  fc.record({ take: fc.nat(2) }),
  fc.record({ reconnect: fc.nat(2) }),
  fc.constant({ replace: true }),
  fc.constant({ turn: true }),
);

/** What a client makes of it: a reset drops what it had, or marks a gap; anything else must follow on. */
function follow(told: readonly Told[], before: string): string {
  expect(told[0]?.event).toBe("ready");
  let id = before;
  let open = before === "";
  for (const { event, id: next, data } of told) {
    if (event === "reset") open = true;
    if (event === "history") {
      const [was, is] = [parseCursor(id), parseCursor(next ?? "")];
      expect(is?.sequence).toBe(data["sequence"]);
      if (!open) expect(is).toEqual({ historyId: was?.historyId, sequence: (was?.sequence ?? 0) + 1 });
      else if (was !== undefined) expect(is).toEqual({ historyId: was.historyId, sequence: was.sequence + 1 });
      open = false;
    }
    if (event === "ready" && id !== "" && next !== id) expect(told[1]?.event).toBe("reset");
    id = next ?? id;
  }
  return id;
}

test("whatever happens meanwhile, everything kept is told once and in order, or a reset says why not", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const book = createHistoryBook();
      book.append(5);
      const world = createWorld(book);
      const clients = [0, 1, 2].map(() => ({ connection: world.read("oldest"), id: "" }));
      const one = (index: number) => clients[index] ?? clients[0]!;
      for (const action of steps) {
        if ("append" in action) book.append(action.append);
        else if ("forget" in action) book.forget(action.forget);
        else if ("replace" in action) book.replace();
        else if ("turn" in action) await turn();
        else if ("pump" in action) one(action.pump).connection.reader.pump();
        else if ("take" in action) one(action.take).connection.take();
        else {
          const client = one(action.reconnect);
          client.connection.reader.gone();
          client.id = follow(client.connection.told, client.id);
          client.connection = world.read(parseCursor(client.id) ?? "unreadable");
        }
      }
      for (const client of clients) {
        client.connection.reader.pump();
        await client.connection.drain();
        const { historyId, newest } = book.stored.current;
        expect(follow(client.connection.told, client.id)).toBe(formatCursor({ historyId, sequence: newest }));
      }
    }),
    { numRuns: 150 },
  );
});
