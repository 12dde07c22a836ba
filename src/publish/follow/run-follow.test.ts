import { expect, onTestFinished, test } from "vitest";
import { createFollowWorld, holderOf, podObject, radiosOn, zigbeeLimit } from "../../../test/fixtures/follow-world.ts";
import { createManualClock, settle } from "../../../test/fixtures/manual-clock.ts";
import { sampleRadio, sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { Cell } from "../../core/cell.ts";
import { createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import type { RadioAssignment } from "../../core/handover.ts";
import { silentLog } from "../../core/log.ts";
import type { Radio } from "../../core/radio.ts";
import { type FollowDependencies, runFollow } from "./run-follow.ts";

const minute = 60_000;

async function open(changes: Partial<FollowDependencies> = {}) {
  const clock = createManualClock();
  const world = createFollowWorld();
  const conditions = createConditions(clock);
  const snapshots = new Cell(sampleSnapshot([sampleRadio("a"), sampleRadio("b")]));
  const holders = new Cell<readonly RadioAssignment[]>([holderOf("a", "z2m")]);
  const awaited = new Cell<readonly RadioAssignment[]>([]);
  const places = { current: radiosOn({ n2: [] }) };
  const told: object[] = [];
  let nodeLists = 0;
  const radios: FollowDependencies["radios"] = () => {
    nodeLists += 1;
    return Promise.resolve(places.current);
  };
  const controller = new AbortController();
  const dependencies: FollowDependencies = {
    snapshots,
    holders,
    awaited,
    radios,
    kube: world.kube,
    node: "n1",
    prefix: "radio.mi.house",
    evict: "annotated",
    offered: () => 0,
    evicted: ({ namespace, name }, move) => void told.push({ pod: `${namespace}/${name}`, ...move }),
    absentMs: 0,
    clock,
    log: silentLog,
    conditions,
    ...changes,
  };
  const done = runFollow(dependencies, controller.signal);
  onTestFinished(async () => {
    controller.abort(new AerialError("internal.abort", "stopped"));
    await done;
  });
  await settle();
  const absent = (changes: Partial<Radio> = {}): Radio =>
    sampleRadio("a", { presence: "absent", absentSince: new Date(clock.now()).toISOString(), ...changes });
  return {
    clock,
    world,
    holders,
    awaited,
    snapshots,
    places,
    told,
    nodeLists: () => nodeLists,
    texts: () => Object.fromEntries([...conditions.current].map(([code, { text }]) => [code, text])),
    unplug: async (changes: Partial<Radio> = {}) => {
      snapshots.set(sampleSnapshot([absent(changes), sampleRadio("b")]));
      await settle();
    },
    plug: async () => {
      snapshots.set(sampleSnapshot([sampleRadio("a"), sampleRadio("b")]));
      await settle();
    },
  };
}

test("a pod that asked for it is evicted within two seconds of its radio's coming up elsewhere", async () => {
  const { world, unplug, clock, places, told } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  await unplug();
  await clock.advance(9_000);
  expect(world.count("EVICT")).toBe(0);
  places.current = radiosOn({ n2: ["a"] });
  await clock.advance(2_000);
  expect(world.asked.at(-1)).toBe("EVICT house/z2m");
  expect(world.pods.size).toBe(0);
  expect(told).toEqual([{ pod: "house/z2m", radioId: "a", to: "n2" }]);
});

test("it goes once the scheduler can know where to, or after half a minute", async () => {
  const { world, unplug, clock, places } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  world.allocatable.set("n2", {});
  places.current = radiosOn({ n2: ["a"] });
  await unplug();
  await clock.advance(7_000);
  expect(world.count("EVICT")).toBe(0);
  world.allocatable.set("n2", zigbeeLimit);
  await clock.advance(1_000);
  expect(world.count("EVICT")).toBe(1);

  world.add(podObject("z2m", { follow: "true" }));
  world.allocatable.set("n1", zigbeeLimit);
  await clock.advance(minute);
  expect(world.count("EVICT")).toBe(2);
});

test("nobody is asked anything while held radios are there, and others' comings and goings do not matter", async () => {
  const { world, snapshots, nodeLists, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  snapshots.set(sampleSnapshot([sampleRadio("a"), sampleRadio("b", { presence: "absent" })]));
  await clock.advance(10 * minute);
  expect([world.asked, nodeLists()]).toEqual([[], 0]);
});

test("nothing is done before the first whole scan, which is what a fresh start sees", async () => {
  const { world, snapshots, places, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  places.current = radiosOn({ n2: ["a"] });
  snapshots.set(sampleSnapshot([sampleRadio("a", { presence: "absent" })], { complete: false }));
  await clock.advance(minute);
  expect(world.asked).toEqual([]);
});

test("the nodes are asked every two seconds for a minute, then every ten", async () => {
  const { world, unplug, nodeLists, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  await unplug();
  await clock.advance(minute);
  expect(nodeLists()).toBeGreaterThanOrEqual(29);
  expect(nodeLists()).toBeLessThanOrEqual(32);
  const before = nodeLists();
  await clock.advance(minute);
  expect(nodeLists() - before).toBe(6);
});

test("a pod that did not ask for it stays, and costs no list of nodes", async () => {
  const { world, unplug, places, nodeLists, clock, texts } = await open();
  world.add(podObject("z2m"));
  places.current = radiosOn({ n2: ["a"] });
  await unplug();
  await clock.advance(10 * minute);
  expect([world.count("EVICT"), nodeLists(), texts()]).toEqual([0, 0, {}]);
  expect(world.count("GET")).toBeLessThanOrEqual(11);
  world.add(podObject("z2m", { follow: "true" }));
  await clock.advance(minute);
  expect(world.count("EVICT")).toBe(1);
});

test("a radio that comes back in time leaves its pod alone", async () => {
  const { world, unplug, plug, places, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  await unplug();
  await clock.advance(1_500);
  await plug();
  places.current = radiosOn({ n2: ["a"] });
  await clock.advance(10 * minute);
  expect(world.count("EVICT")).toBe(0);
});

test.for([
  ["a node that is not ready", radiosOn({ n2: ["a"] }, { ready: false })],
  ["a node where it is absent too", radiosOn({ n2: ["a"] }, { state: "absent" })],
  ["this node, whose list is old", radiosOn({ n1: ["a"] })],
  ["a node with another radio", radiosOn({ n2: ["b"] })],
] as const)("%s is no place to follow to", async ([, list]) => {
  const { world, unplug, places, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  places.current = list;
  await unplug();
  await clock.advance(5 * minute);
  expect(world.count("EVICT")).toBe(0);
});

test("a radio in its bootloader elsewhere is there", async () => {
  const { world, unplug, places } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  places.current = radiosOn({ n2: ["a"] }, { state: "bootloader" });
  await unplug();
  expect(world.count("EVICT")).toBe(1);
});

test("the same id is another radio where it comes from the port", async () => {
  const { world, unplug, places, clock, texts } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  places.current = radiosOn({ n2: ["a"] });
  await unplug({ idBasis: "port" });
  await clock.advance(5 * minute);
  expect(world.count("EVICT")).toBe(0);
  expect(texts()).toEqual({ "follow.unrecognizable": expect.stringContaining("house/z2m stays. With follow.absentSeconds") as string });
});

test("a radio that stays away for the time that was set, wherever it is, moves its pod then and not before", async () => {
  const { world, unplug, clock } = await open({ absentMs: 90_000 });
  world.add(podObject("z2m", { follow: "true" }));
  await unplug({ idBasis: "port" });
  await clock.advance(89_000);
  expect(world.count("EVICT")).toBe(0);
  await clock.advance(1_000);
  expect(world.count("EVICT")).toBe(1);
});

test("a pod that was put here for a radio that has just left goes after it, though it was never given it", async () => {
  const { world, unplug, clock, places, holders, awaited, told } = await open();
  holders.set([]);
  await unplug();
  world.add(podObject("late", { follow: "true", phase: "Pending", limits: {}, claims: ["stick"] }));
  places.current = radiosOn({ n2: ["a"] });
  awaited.set([{ radioId: "a", namespace: "house", pod: "late", way: "resource-claim", request: "stick" }]);
  await clock.advance(2_000);
  expect(told).toEqual([{ pod: "house/late", radioId: "a", to: "n2" }]);
});

test("a disruption budget is asked again less and less often, and the pod goes once it allows", async () => {
  const { world, unplug, places, clock, texts } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  places.current = radiosOn({ n2: ["a"] });
  const said = "The disruption budget house needs 1 healthy pods and has 1 currently";
  world.refusals.set("EVICT", new AerialError("kube.disruption-budget", "refused", { details: { said } }));
  await unplug();
  expect(texts()).toEqual({
    "follow.disruption-budget": `house/z2m does not follow the radio a to n2 yet: ${said}. aerial asks again until the budget allows it.`,
  });
  await clock.advance(10 * minute);
  expect(world.count("EVICT")).toBeGreaterThan(10);
  expect(world.count("EVICT")).toBeLessThan(40);
  world.refusals.clear();
  await clock.advance(minute);
  expect([world.pods.size, texts()]).toEqual([0, {}]);
});

test.for(["kube.conflict", "kube.not-found"] as const)("after a budget's refusal %s is no reason to hurry", async (code) => {
  const { world, unplug, places, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  places.current = radiosOn({ n2: ["a"] });
  world.refusals.set("EVICT", new AerialError("kube.disruption-budget", "refused"));
  await unplug();
  world.refusals.set("EVICT", new AerialError(code, "not that one"));
  await clock.advance(minute);
  places.current = radiosOn({ n2: [] });
  await clock.advance(minute);
  expect(world.asked.length).toBeLessThan(120);
});

test("a refused pod whose radio leaves the other node again is no reason to hurry either", async () => {
  const { world, unplug, places, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  places.current = radiosOn({ n2: ["a"] });
  world.refusals.set("EVICT", new AerialError("kube.disruption-budget", "refused"));
  await unplug();
  places.current = radiosOn({ n2: [] });
  await clock.advance(minute);
  expect(world.asked.length).toBeLessThan(60);
});

test("what stands in the way of one pod holds up no other", async () => {
  const { world, unplug, places, holders } = await open();
  holders.set([holderOf("a", "first"), holderOf("a", "z2m")]);
  world.add(podObject("first", { follow: "true" }), podObject("z2m", { follow: "true" }));
  world.refusals.set("EVICT house/first", new AerialError("kube.unreachable", "more than one budget"));
  places.current = radiosOn({ n2: ["a"] });
  await unplug();
  expect([...world.pods.keys()]).toEqual(["house/first"]);
});

test("a bare pod is not lost: it is named instead", async () => {
  const { world, unplug, places, texts, clock } = await open({ evict: "all" });
  world.add(podObject("z2m", { owner: undefined }));
  places.current = radiosOn({ n2: ["a"] });
  await unplug();
  await clock.advance(minute);
  expect(world.count("EVICT")).toBe(0);
  expect(texts()["follow.bare"]).toMatch(/^The radio a is on n2 now, and house\/z2m, .* would not be started again by anybody/);
});

test.for(["GET", "EVICT"])("a missing permission to %s names the component, once", async (verb) => {
  const { world, unplug, places, texts, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  places.current = radiosOn({ n2: ["a"] });
  world.refusals.set(verb, new AerialError("kube.forbidden", "may not"));
  await unplug();
  await clock.advance(10 * minute);
  expect(texts()).toEqual({ "follow.forbidden": expect.stringContaining("apply daemonset/components/follow") as string });
  expect(world.count(verb)).toBeLessThan(40);
  world.refusals.clear();
  await clock.advance(minute);
  expect([world.pods.size, texts()]).toEqual([0, {}]);
});

test("an API server that is away is asked again under backoff", async () => {
  const { world, unplug, places, texts, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  places.current = radiosOn({ n2: ["a"] });
  world.refusals.set("GET", new AerialError("kube.unreachable", "away"));
  await unplug();
  await clock.advance(10 * minute);
  expect(texts()).toEqual({ "follow.failing": expect.stringContaining("away") as string });
  expect(world.count("GET")).toBeLessThan(40);
  world.refusals.clear();
  await clock.advance(minute);
  expect(world.pods.size).toBe(0);
});

test("a pod that has taken the name since is left alone", async () => {
  const { world, unplug, places } = await open();
  const other = podObject("z2m", { follow: "true" });
  world.add({ ...other, metadata: { ...other.metadata, namespace: "elsewhere" } });
  world.pods.set("house/z2m", { ...other, metadata: { ...other.metadata, name: "another" } });
  places.current = radiosOn({ n2: ["a"] });
  await unplug();
  expect(world.count("EVICT")).toBe(0);
});

test("a stick that comes and goes all the time does not make the API server busy", async () => {
  const { world, unplug, plug, clock } = await open();
  world.add(podObject("z2m", { follow: "true" }));
  for (let turn = 0; turn < 100; turn += 1) {
    await unplug();
    await clock.advance(50);
    await plug();
    await clock.advance(50);
  }
  expect(world.asked.length).toBeLessThanOrEqual(25);
});

test("it does nothing at all when it is off", async () => {
  const { world, unplug, places, clock } = await open({ evict: "none" });
  world.add(podObject("z2m", { follow: "true" }));
  places.current = radiosOn({ n2: ["a"] });
  await unplug();
  await clock.advance(minute);
  expect(world.asked).toEqual([]);
});
