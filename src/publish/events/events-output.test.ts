import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ManualClock, createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { AerialError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import type { Output } from "../../core/output.ts";
import type { HistoryEntry } from "../../core/radio.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import { type HistoryReader, createEventsOutput } from "./events-output.ts";
import { planRun, toRuns } from "./plan-events.ts";
import { toEvent, toFoldedEvent } from "./to-event.ts";

const start = Date.parse("2026-01-01T00:00:00Z");
const node = { name: "n1", uid: "u-1" };

function entry(sequence: number, changes: Partial<HistoryEntry> & { readonly afterMs?: number } = {}): HistoryEntry {
  const { afterMs = 0, ...rest } = changes;
  return {
    sequence,
    at: new Date(start + afterMs).toISOString(),
    type: "attached",
    radioId: "zigbee-0001",
    text: "SONOFF Dongle appeared on USB port 1-1",
    details: { kinds: "zigbee", model: "Dongle", port: "1-1" },
    ...rest,
  };
}

interface World {
  readonly clock: ManualClock;
  readonly history: HistoryEntry[];
  /** By name: the server holds each name once. */
  readonly server: Map<string, KubeObject>;
  readonly notes: () => readonly unknown[];
  cursor: number;
  requests: number;
  /** What the next creations are answered with; accepted when there is none. */
  readonly refusals: AerialError[];
  readonly inventory: HistoryReader;
}

function createWorld(): World {
  const history: HistoryEntry[] = [];
  const server = new Map<string, KubeObject>();
  const world: World = {
    clock: createManualClock(start),
    history,
    server,
    notes: () => [...server.values()].map(({ note }) => note),
    cursor: 0,
    requests: 0,
    refusals: [],
    inventory: {
      history: ({ after, limit }) => history.filter(({ sequence }) => sequence > after).slice(0, limit),
      cursor: () => world.cursor,
      advanceCursor: (_reader, sequence) => {
        world.cursor = sequence;
      },
    },
  };
  return world;
}

/** A fresh process: nothing is left but what inventory and server hold. */
function boot(world: World): Output {
  return createEventsOutput({
    node: node.name,
    inventory: world.inventory,
    clock: world.clock,
    log: silentLog,
    kube: {
      get: () => Promise.resolve({ kind: "Node", metadata: { name: node.name, uid: node.uid, resourceVersion: "1" } }),
      create(_path, object) {
        world.requests += 1;
        const refusal = world.refusals.shift();
        if (refusal) return Promise.reject(refusal);
        const { name } = object["metadata"] as { readonly name: string };
        if (world.server.has(name)) {
          return Promise.reject(new AerialError("kube.conflict", "taken", { details: { status: 409, reason: "AlreadyExists" } }));
        }
        world.server.set(name, object);
        return Promise.resolve(object);
      },
    },
  });
}

const signal = new AbortController().signal;
const apply = (output: Output): Promise<number | undefined> => output.apply(sampleSnapshot([]), signal);

describe("events", () => {
  test("a change is told at once, and once; the cursor follows when its minute is over", async () => {
    const world = createWorld();
    const output = boot(world);
    world.history.push(entry(1, { afterMs: 100 }));
    expect(await apply(output)).toBe(start + 62_000);
    expect(world.notes()).toEqual(["SONOFF Dongle appeared on USB port 1-1 (id: zigbee-0001, kinds: zigbee, model: Dongle, port: 1-1)"]);
    expect(await apply(output)).toBe(start + 62_000);
    expect([world.requests, world.cursor]).toEqual([1, 0]);
    await world.clock.advance(62_000);
    expect(await apply(output)).toBeUndefined();
    expect([world.requests, world.cursor]).toEqual([1, 1]);
  });

  test("a restart within the minute tells nothing twice", async () => {
    const world = createWorld();
    world.history.push(entry(1), entry(2, { type: "detached" }));
    await apply(boot(world));
    await apply(boot(world));
    expect(world.server.size).toBe(2);
    expect(world.requests).toBe(4);
  });

  test("what happens to radios on the network is nothing that happens to this node", async () => {
    const world = createWorld();
    const details = { kinds: "zigbee", port: "slzb-06.local:6638", attachment: "network" };
    world.history.push(entry(1, { details }), entry(2, { type: "detached", details }), entry(3, { radioId: "local" }));
    await apply(boot(world));
    expect(world.server.size).toBe(1);
    await world.clock.advance(120_000);
    await apply(boot(world));
    expect(world.server.size).toBe(1);
    expect(world.cursor).toBe(3);
  });

  test("nothing new, nothing asked", async () => {
    const world = createWorld();
    expect(await apply(boot(world))).toBeUndefined();
    expect(world.requests).toBe(0);
  });

  test("a failure leaves the cursor, and the rest is told later", async () => {
    const world = createWorld();
    world.history.push(entry(1), entry(2, { type: "detached" }));
    world.refusals.push(new AerialError("kube.unreachable", "away"));
    const output = boot(world);
    await expect(apply(output)).rejects.toMatchObject({ code: "kube.unreachable" });
    await apply(output);
    expect(world.server.size).toBe(2);
  });

  test("what the server finds invalid does not hold up what follows", async () => {
    const world = createWorld();
    world.history.push(entry(1), entry(2, { type: "detached" }));
    world.refusals.push(new AerialError("kube.invalid", "no"));
    await world.clock.advance(70_000);
    await apply(boot(world));
    expect([world.server.size, world.cursor]).toEqual([1, 2]);
  });

  test("a flapping stick: the first four, then one for all the rest of the minute", async () => {
    const world = createWorld();
    const output = boot(world);
    for (let sequence = 1; sequence <= 300; sequence += 1) {
      world.history.push(entry(sequence, { afterMs: sequence * 100, type: sequence % 2 ? "attached" : "detached" }));
      if (sequence % 50 === 0) await apply(output);
    }
    world.history.push(entry(301, { afterMs: 50_000, radioId: "other" }));
    await apply(output);
    expect(world.server.size).toBe(5);
    await world.clock.advance(62_000);
    await apply(output);
    expect(world.server.size).toBe(6);
    expect(world.notes().at(-1)).toBe("296 more changes of 1 radio within a minute, too many to tell one by one: zigbee-0001 296");
    expect([...world.server.values()].at(-1)).toMatchObject({ series: { count: 296, lastObservedTime: "2026-01-01T00:00:30.000000Z" } });
  });

  test("a container that was restarted for a flapping stick is told of all the same", () => {
    const restart = entry(20, { type: "container-restarted", text: "container z2m of pod home/z2m-0 was restarted" });
    const flaps = Array.from({ length: 19 }, (_, index) => entry(index + 1, { type: index % 2 === 0 ? "attached" : "detached" }));
    const [run] = [...toRuns([...flaps, restart])];
    expect(run && planRun(run).single.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 20]);
  });

  test("old changes are no news: not at a first start with a long history, nor after a long outage", async () => {
    const world = createWorld();
    for (let sequence = 1; sequence <= 2_000; sequence += 1)
      world.history.push(entry(sequence, { afterMs: sequence * 1_000 - 2_000_000 - 3_600_000 }));
    world.history.push(entry(2_001, { afterMs: -1_000, radioId: "new" }));
    await world.clock.advance(61_000);
    await apply(boot(world));
    expect(world.cursor).toBe(2_001);
    expect(world.server.size).toBe(1);
  });

  test("a clock that was set back does not hold up anything", async () => {
    const world = createWorld();
    world.history.push(entry(1, { afterMs: 86_400_000 }));
    expect(await apply(boot(world))).toBeUndefined();
    expect([world.server.size, world.cursor]).toEqual([1, 1]);
  });

  test("wherever it is killed, everything is told and nothing twice", async () => {
    const change = fc.record({
      radioId: fc.constantFrom("a", "b"),
      type: fc.constantFrom<HistoryEntry["type"]>("attached", "detached", "identified", "leased"),
      gapMs: fc.integer({ min: 0, max: 20_000 }),
      killed: fc.boolean(),
      refused: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 60 }), async (changes) => {
        const world = createWorld();
        let output = boot(world);
        for (const [index, { radioId, type, gapMs, killed, refused }] of changes.entries()) {
          await world.clock.advance(gapMs);
          world.history.push(entry(index + 1, { afterMs: world.clock.now() - start, radioId, type }));
          if (killed) output = boot(world);
          if (refused) world.refusals.push(new AerialError("kube.unreachable", "away"));
          await apply(output).catch(() => {});
        }
        world.refusals.length = 0;
        await world.clock.advance(120_000);
        await apply(boot(world));

        const plans = [...toRuns(world.history)].map(planRun);
        const expected = plans.flatMap(({ single, folded: [first, ...rest] }) =>
          single.map((one) => toEvent(one, node)).concat(first ? [toFoldedEvent([first, ...rest], node)] : []),
        );
        expect([...world.server.values()]).toEqual(expected);
        expect(world.cursor).toBe(changes.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe("an Event", () => {
  test("is about the Node", () => {
    expect(toEvent(entry(7, { type: "detached" }), node)).toEqual({
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: expect.stringMatching(/^aerial-[0-9a-f]{32}$/) as string, namespace: "default" },
      regarding: { apiVersion: "v1", kind: "Node", name: "n1", uid: "u-1" },
      reportingController: "mi.house/aerial",
      reportingInstance: "n1",
      type: "Warning",
      action: "Detach",
      reason: "RadioDetached",
      eventTime: "2026-01-01T00:00:00.000000Z",
      note: "SONOFF Dongle appeared on USB port 1-1 (id: zigbee-0001, kinds: zigbee, model: Dongle, port: 1-1)",
    });
  });

  test("has another name for another entry, another node and another database", () => {
    const name = (object: KubeObject): unknown => (object["metadata"] as { readonly name: string }).name;
    const names = [
      toEvent(entry(1), node),
      toEvent(entry(2), node),
      toEvent(entry(1), { ...node, name: "n2" }),
      toEvent(entry(1, { afterMs: 1 }), node),
      toFoldedEvent([entry(1)], node),
    ].map(name);
    expect(new Set(names).size).toBe(names.length);
    expect(name(toEvent(entry(1), { ...node, uid: "another" }))).toBe(names[0]);
  });

  test("keeps its note within a kilobyte, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 3_000 }), fc.string({ unit: "binary" }), (text, radioId) => {
        const { note } = toEvent(entry(1, { text, radioId, at: text }), node) as { readonly note: string };
        expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
        expect(note).not.toMatch(/\p{Cc}|\ufffd$/u);
      }),
    );
  });
});
