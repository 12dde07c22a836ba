import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectAcceptable } from "../../../test/fixtures/slice-rules.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import { planSlices, sliceName } from "./plan-slices.ts";
import type { DeviceTaint, SliceDevice } from "./slice-devices.ts";
import { type SliceView, toSliceView } from "./slice-view.ts";

const place = { driver: "radio.mi.house", node: "n1", nodeUid: "node-uid" };
const device = (name: string, ...taints: DeviceTaint[]): SliceDevice => ({
  name,
  attributes: { kind: { string: "zigbee" } },
  ...(taints.length > 0 ? { taints } : {}),
});
const devices = (count: number) => Array.from({ length: count }, (_, index) => device(`d${String(index).padStart(4, "0")}`));
const taint: DeviceTaint = { key: "radio.mi.house/in-use", effect: "NoSchedule" };

/** When a write came. */
const timeOf = (write: number): string => new Date(Date.UTC(2026, 0, 1) + write * 1_000).toISOString().replace(".000", "");

/** A server that stores what it is given, and knows when a taint came. */
function openServer() {
  const stored = new Map<string, SliceView>();
  let version = 0;
  let writes = 0;
  const store = (object: KubeObject): void => {
    expectAcceptable(object);
    version += 1;
    writes += 1;
    const copy = JSON.parse(JSON.stringify(object)) as { metadata: Record<string, unknown>; spec: { devices: SliceDevice[] } };
    const metadata = { uid: `uid-${version}`, ...copy.metadata, resourceVersion: String(version) };
    const timed = copy.spec.devices.map((one) =>
      one.taints === undefined ? one : { ...one, taints: one.taints.map((each) => ({ timeAdded: timeOf(version), ...each })) },
    );
    const view = toSliceView({ ...copy, metadata, spec: { ...copy.spec, devices: timed } });
    stored.set(view.name, view);
  };
  return {
    stored,
    /** How many requests it took. */
    apply(wanted: readonly SliceDevice[], changed = place): number {
      const before = writes;
      const plan = planSlices([...stored.values()], wanted, changed);
      for (const { name } of plan.obsolete) stored.delete(name);
      for (const { object } of [...plan.replacements, ...plan.additions]) store(object);
      return writes - before + plan.obsolete.length;
    },
    pools: () => [...stored.values()].map(({ pool }) => [pool.generation, pool.resourceSliceCount]),
  };
}

describe("slices", () => {
  test("no radio: one empty slice of the pool, written once", () => {
    const server = openServer();
    expect(server.apply([])).toBe(1);
    expect(server.apply([])).toBe(0);
    expect([...server.stored.values()]).toMatchObject([
      { name: "n1-radio.mi.house-0", owner: "node-uid", devices: [], pool: { name: "n1", generation: 1, resourceSliceCount: 1 } },
    ]);
  });

  test("one slice is changed in place; its generation stays", () => {
    const server = openServer();
    server.apply(devices(1));
    expect(server.apply(devices(2))).toBe(1);
    expect(server.pools()).toEqual([[1, 1]]);
  });

  test("one that is removed comes back", () => {
    const server = openServer();
    server.apply(devices(2));
    server.stored.clear();
    expect(server.apply(devices(2))).toBe(1);
  });

  test("more than fit are several slices of one generation, which rises as a whole", () => {
    const server = openServer();
    expect(server.apply(devices(129))).toBe(3);
    expect(server.pools()).toEqual([
      [1, 3],
      [1, 3],
      [1, 3],
    ]);
    expect([...server.stored.values()].map((slice) => slice.devices.length)).toEqual([64, 64, 1]);
    expect(server.apply(devices(130))).toBe(1);
    expect(server.pools()[2]).toEqual([1, 3]);
    expect(server.apply(devices(193))).toBe(4);
    expect(new Set(server.pools().map(String))).toEqual(new Set(["2,4"]));
    expect(server.apply(devices(60))).toBe(4);
    expect(server.pools()).toEqual([[2, 1]]);
  });

  test("those of another generation, with another name or of a Node that was made anew are put right", () => {
    const server = openServer();
    server.apply(devices(70));
    const [first] = server.stored.values();
    server.stored.set("stray", { ...first!, name: "stray", pool: { ...first!.pool, generation: 9 } });
    expect(server.apply(devices(70))).toBe(3);
    expect(server.pools()).toEqual([
      [10, 2],
      [10, 2],
    ]);
    expect(server.apply(devices(70), { ...place, nodeUid: "new" })).toBe(2);
    expect([...server.stored.values()].map(({ owner }) => owner)).toEqual(["new", "new"]);
  });

  test("a taint keeps the time at which it came, whatever else changes", () => {
    const server = openServer();
    server.apply([device("a", taint), device("b")]);
    const timeOfFirst = () => server.stored.get("n1-radio.mi.house-0")?.devices[0]?.taints?.[0]?.timeAdded;
    expect(timeOfFirst()).toBe(timeOf(1));
    expect(server.apply([device("a", taint), device("b")])).toBe(0);
    expect(server.apply([device("a", { ...taint, timeAdded: "2026-01-01T00:00:00Z" }), device("b")])).toBe(0);
    expect(server.apply([device("a", taint), device("b", taint)])).toBe(1);
    expect(timeOfFirst()).toBe(timeOf(1));
    server.apply([device("a", { ...taint, effect: "NoExecute" })]);
    expect(timeOfFirst()).toBe(timeOf(3));
  });

  test("from anywhere, one step leads to what is wanted, and a second to nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 6 }), fc.nat({ max: 10 }), (counts, lost) => {
        const server = openServer();
        for (const count of counts) {
          server.apply(devices(count));
          expect([...server.stored.values()].flatMap((slice) => slice.devices.map(({ name }) => name)).toSorted()).toEqual(
            devices(count).map(({ name }) => name),
          );
          expect(new Set(server.pools().map(String)).size).toBe(1);
          expect(server.apply(devices(count))).toBe(0);
          server.stored.delete(sliceName(place, lost));
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a node's name of any length gives a name that fits", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9](\.?[a-z0-9]-{0,3}[a-z0-9]){0,42}$/), (node) => {
        const name = sliceName({ node, driver: "radio.mi.house" }, 3);
        expect(name.length).toBeLessThanOrEqual(253);
        expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      }),
    );
  });
});
