import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasCode } from "../core/errors.ts";
import type { InventoryEvent, Lease, RadioPodEvent } from "../core/radio.ts";
import { scanned, sighted, sonoff, timeAfter } from "../../test/fixtures/sightings.ts";
import { reduce } from "./reduce.ts";
import type { InventoryState, Reduction } from "./state.ts";

const id = "10c4-ea60-7a43d3a954a2ef11";
const empty: InventoryState = {
  node: "n1",
  overrides: [],
  forgetAfterDays: 30,
  complete: false,
  sameBoot: true,
  memories: new Map(),
  others: [],
};
const { state: start } = reduce(empty, scanned(0, [sighted({ stick: sonoff, port: "1-1" })]));

const lease = (holder: Lease["holder"], owner: string): InventoryEvent => ({
  type: "leased",
  at: timeAfter(1),
  id,
  lease: { holder, owner, since: timeAfter(1) },
});
const release = (owner: string): InventoryEvent => ({ type: "released", at: timeAfter(2), id, owner });

function after(...events: readonly InventoryEvent[]): InventoryState {
  let state = start;
  for (const event of events) ({ state } = reduce(state, event));
  return state;
}

const holderOf = (state: InventoryState): Lease | undefined => state.memories.get(id)?.lease;

describe("leases", () => {
  test("a pod goes before a bridge, and a bridge before a probe; history tells who lost it", () => {
    expect(holderOf(after(lease("probe", "a"), lease("bridge", "b"), lease("pod", "c")))).toMatchObject({ holder: "pod", owner: "c" });
    const { changes } = reduce(after(lease("bridge", "b")), lease("pod", "c"));
    expect(changes).toMatchObject([
      { type: "released", details: { holder: "bridge", owner: "b", reason: "preempted" } },
      { type: "leased", details: { holder: "pod", owner: "c" } },
    ]);
  });

  test.each([
    ["probe", "bridge"],
    ["probe", "probe"],
    ["bridge", "bridge"],
    ["bridge", "pod"],
    ["pod", "pod"],
    ["flash", "probe"],
    ["flash", "bridge"],
    ["flash", "pod"],
    ["probe", "flash"],
    ["bridge", "flash"],
    ["pod", "flash"],
    ["flash", "flash"],
  ] as const)("%s is refused while %s holds", (wanted, held) => {
    const state = after(lease(held, "first"));
    expect(() => reduce(state, lease(wanted, "second"))).toThrow(expect.objectContaining({ code: "inventory.leased" }));
    expect(holderOf(state)?.owner).toBe("first");
  });

  test("asking again for what one has changes nothing", () => {
    const state = after(lease("pod", "a"));
    expect(reduce(state, lease("pod", "a"))).toEqual({ state, changes: [] });
  });

  test("only the holder releases", () => {
    const state = after(lease("bridge", "b"), lease("pod", "c"));
    expect(reduce(state, release("b")).state).toBe(state);
    expect(holderOf(reduce(state, release("c")).state)).toBeUndefined();
    expect(reduce(start, release("c")).changes).toEqual([]);
  });

  test("a radio stays leased while it is away", () => {
    const { state } = reduce(after(lease("pod", "a")), scanned(3, []));
    expect(state.memories.get(id)).toMatchObject({ presence: "absent", lease: { owner: "a" } });
  });

  test("any order of leases and releases keeps one holder, and history replays to it", () => {
    const holder = fc.constantFrom<Lease["holder"]>("probe", "bridge", "pod", "flash");
    const step = fc.oneof(
      fc.tuple(holder, fc.constantFrom("a", "b", "c")).map(([kind, owner]) => lease(kind, owner)),
      fc.constantFrom("a", "b", "c").map(release),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let state = start;
        let holders: readonly string[] = [];
        for (const event of steps) {
          const { reduction, error } = attempt(state, event);
          expect(error === undefined || hasCode(error, "inventory.leased")).toBe(true);
          for (const { type, details } of reduction.changes) {
            const who = `${details["holder"]}/${details["owner"]}`;
            expect(holders).toEqual(type === "leased" ? [] : [who]);
            holders = type === "leased" ? [who] : [];
          }
          ({ state } = reduction);
          const held = holderOf(state);
          expect(holders).toEqual(held === undefined ? [] : [`${held.holder}/${held.owner}`]);
        }
      }),
    );
  });
});

function attempt(state: InventoryState, event: InventoryEvent): { readonly reduction: Reduction; readonly error?: unknown } {
  try {
    return { reduction: reduce(state, event) };
  } catch (error) {
    return { reduction: { state, changes: [] }, error };
  }
}

describe("names and kinds", () => {
  test.each(["", "   ", "a\nb", "a\u0000", "\u202Eabc", "x".repeat(64), "a\u2028b"])("%j is no name", (name) => {
    expect(() => reduce(start, { type: "named", at: timeAfter(1), id, name })).toThrow(
      expect.objectContaining({ code: "inventory.invalid-name" }),
    );
  });

  test.each(["attic", "Keller links", "Wohnzimmer äöü", "屋根裏", "x".repeat(63)])("%j is a name", (name) => {
    const { state } = reduce(start, { type: "named", at: timeAfter(1), id, name });
    expect(state.memories.get(id)?.name).toBe(name);
    expect(reduce(state, { type: "named", at: timeAfter(2), id, name }).changes).toEqual([]);
  });

  test("a name that is another radio's name or id is taken; one's own is not", () => {
    const memory = start.memories.get(id)!;
    const other = { ...memory, id: "other-1", name: "cellar" };
    const state = { ...start, memories: new Map(start.memories).set(other.id, other) };
    for (const name of ["cellar", "other-1", " cellar "]) {
      expect(() => reduce(state, { type: "named", at: timeAfter(1), id, name })).toThrow(
        expect.objectContaining({ code: "inventory.name-taken" }),
      );
    }
    expect(reduce(state, { type: "named", at: timeAfter(1), id: other.id, name: "cellar" }).changes).toEqual([]);
    expect(reduce(state, { type: "named", at: timeAfter(1), id, name: id }).state.memories.get(id)?.name).toBe(id);
  });

  test.each(["", "Zigbee", "a b", "-a", "a-", "x".repeat(64), "zig/bee"])("%j is no kind", (kind) => {
    expect(() => reduce(start, { type: "overridden", at: timeAfter(1), id, kind })).toThrow(
      expect.objectContaining({ code: "inventory.invalid-kind" }),
    );
  });

  test("an override keeps what still holds and says who said it", () => {
    const { state, changes } = reduce(start, { type: "overridden", at: timeAfter(1), id, kind: "zigbee" });
    expect(changes.map(({ type }) => type)).toEqual(["overridden", "identified"]);
    expect(state.memories.get(id)?.kind).toBe("zigbee");
  });
});

describe("what was done to a pod for a radio's sake", () => {
  const restart = { type: "container-restarted", at: timeAfter(1), id, pod: "home/z2m-0", container: "z2m", from: "188:0" } as const;
  const eviction = { type: "pod-evicted", at: timeAfter(1), id, pod: "home/z2m-0" } as const;

  test.each<[RadioPodEvent, RegExp, Readonly<Record<string, string>>]>([
    [
      { ...restart, to: "188:1" },
      /on USB port .+ is device 188:1 now, and was 188:0: container z2m of pod home\/z2m-0 was restarted$/,
      { pod: "home/z2m-0", container: "z2m", from: "188:0", to: "188:1" },
    ],
    [restart, / is away, and others have its device numbers: container z2m of pod home\/z2m-0 was restarted$/, { from: "188:0" }],
    [{ ...eviction, to: "n2" }, / is on node n2 now: pod home\/z2m-0 was evicted$/, { pod: "home/z2m-0", to: "n2" }],
    [eviction, / is nowhere now: pod home\/z2m-0 was evicted$/, { pod: "home/z2m-0" }],
  ])("is history, once each time, and leaves the radio as it is", (event, text, details) => {
    const { state, changes } = reduce(start, event);
    expect(changes).toMatchObject([{ type: event.type, radioId: id, text: expect.stringMatching(text), details }]);
    expect(state).not.toBe(start);
    expect(state.memories).not.toBe(start.memories);
    expect(state.memories.get(id)).toBe(start.memories.get(id));
    expect(reduce(state, event).changes).toHaveLength(1);
  });
});

test("a radio nobody knows", () => {
  for (const event of [lease("pod", "a"), release("a"), { type: "named", at: timeAfter(1), id, name: "x" } as const]) {
    expect(() => reduce(empty, event)).toThrow(expect.objectContaining({ code: "inventory.unknown-radio" }));
  }
});
