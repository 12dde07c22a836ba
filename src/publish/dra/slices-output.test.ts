import { expect, test } from "vitest";
import { createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { sampleRadio, sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import type { Snapshot } from "../../core/radio.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import { groupRadios } from "../handover/resource-groups.ts";
import { createSlicesOutput } from "./slices-output.ts";
import { type SliceView, toSliceView } from "./slice-view.ts";

const signal = new AbortController().signal;
const domain = "radio.mi.house";
const name = `n1-${domain}-0`;

interface Stored {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly spec: { readonly devices: readonly Record<string, unknown>[] };
}

/** An API server with slices and nothing else. It checks versions, and not what a slice says. */
function openWorld() {
  const clock = createManualClock();
  const conditions = createConditions(clock);
  const slices = new Map<string, Stored>();
  const writes: string[] = [];
  let version = 0;
  const world = {
    clock,
    conditions,
    slices,
    writes,
    handed: new Map<string, string | undefined>(),
    /** What this server makes of a device. */
    keep: (device: Record<string, unknown>): Record<string, unknown> => device,
    /** Somebody else, just before the next write. */
    meanwhile: (): void => {},
    store(object: KubeObject): KubeObject {
      version += 1;
      const { metadata, spec } = JSON.parse(JSON.stringify(object)) as Stored;
      const stored = {
        metadata: { ...metadata, uid: slices.get(metadata.name)?.metadata.uid ?? `uid-${version}`, resourceVersion: String(version) },
        spec: { ...spec, devices: spec.devices.map((device) => world.keep(device)) },
      };
      slices.set(metadata.name, stored);
      return stored;
    },
    view: (): SliceView => toSliceView({ ...slices.get(name) }),
    devices: () => slices.get(name)?.spec.devices.map((device) => device["name"]),
  };
  const begin = (what: string): void => {
    const { meanwhile } = world;
    world.meanwhile = () => {};
    meanwhile();
    writes.push(what);
  };
  const output = createSlicesOutput({
    kube: {
      get: async () => ({ metadata: { uid: "node-uid" } }),
      list: async () => ({ metadata: { resourceVersion: String(version) }, items: [...slices.values()] }),
      async create(_path, object) {
        begin("create");
        return world.store(object);
      },
      async replace(path, object) {
        begin("replace");
        const old = slices.get(path.split("/").at(-1) ?? "");
        if (old === undefined) throw new AerialError("kube.not-found", "gone");
        if (old.metadata.resourceVersion !== (object as unknown as Stored).metadata.resourceVersion) {
          throw new AerialError("kube.conflict", "the object has been modified");
        }
        return world.store(object);
      },
      async remove(path) {
        begin("remove");
        slices.delete(path.split("/").at(-1) ?? "");
      },
    },
    node: "n1",
    domain,
    clock,
    log: silentLog,
    conditions,
    groups: (radios) => groupRadios(radios, { domain, groups: [] }),
    handed: () => world.handed,
    claimed: () => new Set(),
    graceMs: 30_000,
  });
  return Object.assign(world, { output, apply: (snapshot: Snapshot) => output.apply(snapshot, signal) });
}

const one = () => sampleSnapshot([sampleRadio("a")]);

test("writes nothing before the first whole scan, and once after it", async () => {
  const world = openWorld();
  await world.apply(sampleSnapshot([], { complete: false }));
  expect(world.writes).toEqual([]);
  for (let time = 0; time < 3; time += 1) await world.apply(one());
  expect([world.writes, world.devices()]).toEqual([["create"], ["a"]]);
});

test("somebody who writes or removes in between is answered at once with what is right", async () => {
  const world = openWorld();
  await world.apply(one());
  world.meanwhile = () => void world.store({ ...world.slices.get(name), spec: { ...world.slices.get(name)?.spec, devices: [] } });
  await world.apply(sampleSnapshot([sampleRadio("a"), sampleRadio("b")]));
  expect(world.devices()).toEqual(["a", "b"]);
  world.meanwhile = () => world.slices.clear();
  await world.apply(one());
  expect(world.devices()).toEqual(["a"]);
  expect(world.writes).toEqual(["create", "replace", "replace", "replace", "create"]);
});

test("where taints are not kept, what would have one is left out, and people are told", async () => {
  const world = openWorld();
  world.keep = ({ taints: _taints, ...device }) => device;
  world.handed = new Map([["a", undefined]]);
  await world.apply(sampleSnapshot([sampleRadio("a"), sampleRadio("b")]));
  expect(world.devices()).toEqual(["b"]);
  expect(world.conditions.current.get("output.resource-slices.incomplete")?.text).toMatch(/does not store taints.*left out/);
  const written = world.writes.length;
  await world.apply(sampleSnapshot([sampleRadio("a"), sampleRadio("b")]));
  expect(world.writes).toHaveLength(written);
  world.handed = new Map();
  await world.apply(sampleSnapshot([sampleRadio("a"), sampleRadio("b")]));
  expect(world.devices()).toEqual(["a", "b"]);
});

test("an attribute that is not kept is named, and not sent for ever", async () => {
  const world = openWorld();
  world.keep = (device) => {
    const { model: _model, ...attributes } = device["attributes"] as Record<string, unknown>;
    return { ...device, attributes };
  };
  await world.apply(one());
  await world.apply(one());
  expect(world.conditions.current.get("output.resource-slices.incomplete")?.text).toMatch(/does not store attributes\.model of devices/);
  expect(world.writes).toEqual(["create"]);
});

test("a cluster in which something else changes slices is an error, not a loop", async () => {
  const world = openWorld();
  world.keep = (device) => ({ ...device, attributes: { ...(device["attributes"] as object), model: { string: "changed" } } });
  await expect(world.apply(one())).rejects.toThrow("something in the cluster changes it");
  expect(world.writes).toHaveLength(3);
});

test("hears of removals and of newer versions, and not of what it has written itself", async () => {
  const world = openWorld();
  const { output } = world;
  const old = toSliceView(
    world.store({ metadata: { name }, spec: { driver: domain, pool: { name: "n1", generation: 1, resourceSliceCount: 1 }, devices: [] } }),
  );
  await world.apply(one());
  const heard = (): readonly number[] => [output.nudges.current, output.wiped.current];
  output.changed(old);
  output.changed(world.view());
  output.removed({ ...world.view(), uid: "of an earlier one" });
  expect(heard()).toEqual([0, 0]);
  output.changed({ ...world.view(), resourceVersion: "100" });
  expect(heard()).toEqual([1, 0]);
  output.removed(world.view());
  output.removed(world.view());
  expect(heard()).toEqual([1, 1]);
});
