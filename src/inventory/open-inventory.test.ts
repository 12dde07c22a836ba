import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createManualClock } from "../../test/fixtures/manual-clock.ts";
import { scanned, sighted, sonoff, timeAfter, withoutSerial, type Stick } from "../../test/fixtures/sightings.ts";
import { createConditions } from "../core/condition.ts";
import { silentLog } from "../core/log.ts";
import { openInventory, type InventoryOptions } from "./open-inventory.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aerial-inventory-"));
  file = join(folder, "state", "inventory.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const id = "10c4-ea60-7a43d3a954a2ef11";
const portId = "10c4-ea60-n1-1-2";

async function open(options: Partial<InventoryOptions> = {}) {
  const clock = createManualClock();
  const conditions = createConditions(clock);
  const inventory = await openInventory({ file, node: "n1", bootId: "boot-1", clock, log: silentLog, conditions, ...options });
  const types = () => inventory.history({ limit: 1_000 }).map(({ type }) => type);
  return { inventory, conditions, types, [Symbol.asyncDispose]: () => inventory[Symbol.asyncDispose]() };
}

const stick = (serial: string): Stick => ({ ...sonoff, serial });
const both = (deviceNumber = 2) => [
  sighted({ stick: sonoff, port: "1-1", deviceNumber }),
  sighted({ stick: withoutSerial(sonoff), port: "1-2", tty: 1 }),
];

describe("over a restart", () => {
  test("radios come back absent and not missed, and nothing is history until the first scan", async () => {
    let revision = 0;
    {
      await using book = await open();
      expect(book.inventory.current).toMatchObject({ revision: 0, complete: false, node: "n1" });
      book.inventory.apply(scanned(0, both()));
      book.inventory.apply({ type: "named", at: timeAfter(1), id, name: "attic" });
      ({ revision } = book.inventory.apply({ type: "overridden", at: timeAfter(2), id: portId, kind: "lora" }));
    }
    await using book = await open();
    const { current } = book.inventory;
    expect(current.complete).toBe(false);
    expect([...current.radios.values()].map(({ id, presence }) => [id, presence])).toEqual([
      [id, "absent"],
      [portId, "absent"],
    ]);
    expect(current.radios.get(id)).not.toHaveProperty("absentSince");
    expect(book.types()).toHaveLength(7);

    const first = book.inventory.apply(scanned(10, both()));
    expect(first).toMatchObject({ complete: true, revision: revision + 1 });
    expect(first.radios.get(id)).toMatchObject({ name: "attic", presence: "present" });
    expect(first.radios.get(portId)?.identity).toMatchObject({ kinds: ["lora"] });
    expect(book.types()).toHaveLength(7);
  });

  test("what left or was replugged meanwhile is history; after a reboot new device numbers are not", async () => {
    for (const [bootId, expected] of [
      ["boot-1", ["reattached", "detached"]],
      ["boot-2", ["detached"]],
    ] as const) {
      file = join(folder, bootId, "inventory.db");
      {
        await using book = await open();
        book.inventory.apply(scanned(0, both()));
      }
      await using book = await open({ bootId });
      book.inventory.apply(scanned(10, both(7).slice(0, 1)));
      expect(book.types().slice(4).toSorted()).toEqual([...expected].toSorted());
    }
  });

  test("a radio that left while aerial was down was last seen by the last scan", async () => {
    {
      await using book = await open();
      book.inventory.apply(scanned(0, both()));
      book.inventory.apply(scanned(500, both()));
    }
    await using book = await open();
    expect(book.inventory.apply(scanned(900, [])).radios.get(id)).toMatchObject({ lastSeen: timeAfter(500), absentSince: timeAfter(900) });
  });

  test("a pod keeps its lease; what aerial itself did is over", async () => {
    const lease = (holder: "pod" | "bridge") => ({ holder, owner: `${holder}-1`, since: timeAfter(0) });
    {
      await using book = await open();
      book.inventory.apply(scanned(0, both()));
      book.inventory.apply({ type: "leased", at: timeAfter(1), id, lease: lease("pod") });
      book.inventory.apply({ type: "leased", at: timeAfter(1), id: portId, lease: lease("bridge") });
    }
    await using book = await open();
    expect(book.inventory.current.radios.get(id)?.lease?.owner).toBe("pod-1");
    expect(book.inventory.current.radios.get(portId)).not.toHaveProperty("lease");
    expect(book.inventory.history({ radioId: portId, limit: 9 }).at(-1)).toMatchObject({
      type: "released",
      details: { reason: "restart" },
    });
  });
});

describe("snapshots", () => {
  test("nothing new: the same snapshot and not a byte written", async () => {
    await using book = await open();
    const snapshot = book.inventory.apply(scanned(0, both()));
    const size = statSync(`${file}-wal`).size;
    for (let round = 1; round < 20; round += 1) expect(book.inventory.apply(scanned(round, both().toReversed()))).toBe(snapshot);
    expect(statSync(`${file}-wal`).size).toBe(size);
  });

  test("a radio that did not change is the same object in the next", async () => {
    await using book = await open();
    const before = book.inventory.apply(scanned(0, both()));
    const after = book.inventory.apply(scanned(1, both(3)));
    expect(after.radios.get(portId)).toBe(before.radios.get(portId));
    expect(after.radios.get(id)).not.toBe(before.radios.get(id));
  });

  test("a refused intent changes nothing", async () => {
    await using book = await open();
    const snapshot = book.inventory.apply(scanned(0, both()));
    expect(() => book.inventory.apply({ type: "named", at: timeAfter(1), id, name: "\n" })).toThrow(
      expect.objectContaining({ code: "inventory.invalid-name" }),
    );
    expect(book.inventory.current).toBe(snapshot);
    expect(book.types()).toHaveLength(4);
  });

  test("watchers see the newest", async () => {
    await using book = await open();
    const seen: number[] = [];
    const controller = new AbortController();
    const watching = (async () => {
      for await (const { revision } of book.inventory.changes(controller.signal)) seen.push(revision);
    })();
    book.inventory.apply(scanned(0, both()));
    await new Promise(setImmediate);
    book.inventory.apply(scanned(1, both(3)));
    await new Promise(setImmediate);
    controller.abort();
    await watching;
    expect(seen).toEqual([0, 1, 2]);
  });
});

describe("history", () => {
  test("is read from where a reader left it", async () => {
    {
      await using book = await open();
      book.inventory.apply(scanned(0, both()));
      expect(book.inventory.cursor("events")).toBe(0);
      expect(book.inventory.history({ after: 1, limit: 2 }).map(({ sequence }) => sequence)).toEqual([2, 3]);
      expect(book.inventory.history({ radioId: portId, limit: 9 }).map(({ type }) => type)).toEqual(["attached", "identified"]);
      book.inventory.advanceCursor("events", 3);
      book.inventory.advanceCursor("events", 2);
      expect(book.inventory.cursor("events")).toBe(3);
    }
    await using book = await open();
    expect(book.inventory.cursor("events")).toBe(3);
    book.inventory.advanceCursor("events", 1_000);
    expect(book.inventory.cursor("events")).toBe(4);
  });

  test("tells how far it reaches, as soon as it does", async () => {
    const extents: unknown[] = [];
    await using book = await open({ historyLimits: { entries: 3, days: 90, hardEntries: 30 } });
    const { stored, historyId } = book.inventory;
    expect(stored.current).toEqual({ historyId, oldest: 1, newest: 0 });
    const controller = new AbortController();
    const following = (async () => {
      for await (const { oldest, newest } of stored.changes(controller.signal)) extents.push([oldest, newest]);
    })();
    for (const deviceNumber of [2, 2, 3, 4]) {
      book.inventory.apply(scanned(deviceNumber, both(deviceNumber)));
      expect(stored.current.newest).toBe(book.inventory.history({ limit: 99 }).at(-1)?.sequence);
      expect(stored.current.oldest).toBe(book.inventory.history({ limit: 99 })[0]?.sequence);
      await new Promise(setImmediate);
    }
    controller.abort();
    await following;
    expect(extents).toEqual([
      [1, 0],
      [2, 4],
      [3, 5],
      [4, 6],
    ]);
  });

  test("is cut by number and age from its beginning, not past the slowest reader, and its numbers are never used again", async () => {
    await using book = await open({ historyLimits: { entries: 10, days: 90, hardEntries: 30 } });
    const { inventory } = book;
    const replug = (from: number, count: number) => {
      for (let round = from; round < from + count; round += 1)
        inventory.apply(scanned(round, [sighted({ stick: sonoff, port: "1-1", deviceNumber: 2 + round })]));
    };
    const ends = () => {
      const history = inventory.history({ limit: 1_000 });
      return [history[0]?.sequence, history.at(-1)?.sequence];
    };
    replug(0, 20);
    expect(ends()).toEqual([12, 21]);
    inventory.cursor("slow");
    inventory.advanceCursor("slow", 15);
    replug(20, 10);
    expect(ends()).toEqual([16, 31]);
    replug(30, 30);
    expect(ends()).toEqual([32, 61]);
    inventory.advanceCursor("slow", 61);
    inventory.apply(scanned(91 * 86_400, [sighted({ stick: sonoff, port: "1-1", deviceNumber: 999 })]));
    expect(ends()).toEqual([62, 62]);
  });

  test("a clock that was wrong for a while cuts nothing younger", async () => {
    await using book = await open();
    book.inventory.apply(scanned(0, both()));
    book.inventory.apply({ ...scanned(0, both(3)), at: "1970-01-01T00:00:10.000Z" });
    book.inventory.apply(scanned(20, both(4)));
    expect(book.inventory.history({ limit: 99 })).toHaveLength(6);
  });
});

describe("a database that can't be used", () => {
  async function filled(): Promise<void> {
    await using book = await open();
    book.inventory.apply(
      scanned(0, [
        ...both(),
        ...Array.from({ length: 60 }, (_, index) => sighted({ stick: stick(`unit${index}`), port: `2-${index + 1}` })),
      ]),
    );
    book.inventory.apply({ type: "named", at: timeAfter(1), id, name: "attic" });
  }
  const aside = () => readdirSync(join(folder, "state")).filter((name) => name.includes(".broken-"));

  test("garbage is put aside, and aerial begins anew", async () => {
    await filled();
    writeFileSync(file, "this is no database".repeat(1_000));
    await using book = await open();
    const condition = book.conditions.current.get("inventory.reset");
    expect(condition?.text).toContain(aside()[0]);
    expect(readFileSync(join(folder, "state", aside()[0]!), "utf8")).toContain("this is no database");
    expect(book.inventory.current.radios.size).toBe(0);
    expect(book.inventory.apply(scanned(10, both())).radios.size).toBe(2);
    expect(book.types()).toHaveLength(4);
  });

  test("what can be read of a damaged one is carried over", async () => {
    await filled();
    const bytes = readFileSync(file);
    const history = new SqliteDatabase(file, { readonly: true });
    const root = history.prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'history_of_radio'").pluck().get()!;
    history.close();
    const pageSize = bytes.readUInt16BE(16);
    bytes.fill(0xa5, (root - 1) * pageSize, root * pageSize);
    writeFileSync(file, bytes);
    await using book = await open();
    expect(book.conditions.current.get("inventory.reset")?.text).toContain("62 radios were carried over");
    expect(book.inventory.current.radios.get(id)?.name).toBe("attic");
    expect(book.inventory.apply(scanned(10, both())).radios.size).toBe(62);
  });

  test("half a file, an empty file", async () => {
    await filled();
    truncateSync(file, Math.floor(statSync(file).size / 2));
    {
      await using book = await open();
      expect(book.conditions.current.has("inventory.reset")).toBe(true);
      book.inventory.apply(scanned(10, both()));
    }
    writeFileSync(file, "");
    await using book = await open();
    expect([...book.conditions.current.keys()]).toEqual([]);
    expect(book.inventory.apply(scanned(10, both())).radios.size).toBe(2);
  });

  test("at most three are kept aside, the newest", async () => {
    for (let round = 0; round < 5; round += 1) {
      const clock = createManualClock(Date.parse("2026-01-01T00:00:00Z") + round * 1_000);
      await (await open({ clock }))[Symbol.asyncDispose]();
      writeFileSync(file, `garbage ${round}`.repeat(100));
    }
    expect(aside().map((name) => name.slice(-9))).toEqual(["00002.000Z", "00003.000Z", "00004.000Z"].map((name) => name.slice(-9)));
  });

  test("one of a newer aerial is put aside, with its radios carried over", async () => {
    await filled();
    const database = new SqliteDatabase(file);
    database.pragma("user_version = 99");
    database.close();
    await using book = await open();
    expect(book.conditions.current.get("inventory.reset")?.text).toContain("newer aerial (schema 99)");
    expect(book.inventory.current.radios.get(id)?.name).toBe("attic");
  });

  test("a row that is no radio costs that radio only", async () => {
    await filled();
    const database = new SqliteDatabase(file);
    database.prepare("UPDATE radio SET memory = '{}' WHERE id = ?").run(portId);
    database.prepare("UPDATE radio SET memory = 'nonsense' WHERE id = '10c4-ea60-unit3'").run();
    database.close();
    await using book = await open();
    expect(book.conditions.current.get("inventory.reset")?.text).toContain("2 remembered radios");
    expect(book.inventory.current.radios.size).toBe(60);
  });

  describe.each(["writing", "reading"])("one that breaks under us, found by %s,", (how) => {
    test("is replaced by what is in memory", async () => {
      const house = (deviceNumber: number) =>
        Array.from({ length: 250 }, (_, index) => sighted({ stick: stick(`unit${index}x`), port: `1-${index + 1}`, deviceNumber }));
      const book = await open();
      for (let round = 0; round < 10; round += 1) book.inventory.apply(scanned(0, house(2 + round)));
      const { historyId } = book.inventory;
      book.inventory.advanceCursor("events", 4);
      writeFileSync(file, readFileSync(file).fill(0xa5));
      writeFileSync(`${file}-wal`, readFileSync(`${file}-wal`).fill(0xa5));
      if (how === "writing") book.inventory.apply(scanned(1, house(30)));
      else book.inventory.history({ limit: 10_000 });
      expect([...book.conditions.current.keys()]).toEqual(["inventory.reset"]);
      expect(book.inventory.historyId).not.toBe(historyId);
      expect(book.inventory.stored.current).toEqual({
        historyId: book.inventory.historyId,
        oldest: 1,
        newest: how === "writing" ? 250 : 0,
      });
      expect(book.inventory.cursor("events")).toBe(0);
      book.inventory.apply(scanned(2, house(40)));
      expect(new Set(book.types())).toEqual(new Set(["reattached"]));
      await book.inventory[Symbol.asyncDispose]();
      await using again = await open();
      expect([...again.conditions.current.keys()]).toEqual([]);
      expect(again.inventory.current.radios.size).toBe(250);
      expect(again.inventory.apply(scanned(3, house(40))).radios.size).toBe(250);
    });
  });

  test("another process has it: refused, and it stays as it is", async () => {
    await using book = await open();
    book.inventory.apply(scanned(0, both()));
    await expect(open()).rejects.toMatchObject({ code: "inventory.unusable" });
    expect(book.inventory.apply(scanned(1, [])).revision).toBe(2);
  });

  test("no directory can be made: aerial runs in memory and says so", async () => {
    writeFileSync(join(folder, "state"), "a file where the directory should be");
    await using book = await open();
    expect(book.conditions.current.get("inventory.not-stored")?.text).toContain(file);
    expect(book.inventory.apply(scanned(0, both())).radios.size).toBe(2);
    expect(book.types()).toHaveLength(4);
    expect(book.conditions.current.has("inventory.not-stored")).toBe(true);
  });
});
