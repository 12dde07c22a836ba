import { expect, onTestFinished, test } from "vitest";
import { createFollowWorld, podObject, type PodShape, replicaSet } from "../../../test/fixtures/follow-world.ts";
import { createManualClock, settle } from "../../../test/fixtures/manual-clock.ts";
import { Cell } from "../../core/cell.ts";
import { createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { runGhostPods } from "./run-ghost-pods.ts";

const minute = 60_000;
const ghost = { phase: "Failed", reason: "UnexpectedAdmissionError" };
const later = "2026-01-01T00:01:00Z";

function createWorld() {
  const clock = createManualClock();
  const world = createFollowWorld();
  const conditions = createConditions(clock);
  const nudges = new Cell(0);
  return {
    ...world,
    clock,
    nudges,
    texts: () => Object.fromEntries([...conditions.current].map(([code, { text }]) => [code, text])),
    async run() {
      const controller = new AbortController();
      const own = { node: "n1", prefix: "radio.mi.house" };
      const done = runGhostPods({ ...own, kube: world.kube, nudges, clock, log: silentLog, conditions }, controller.signal);
      onTestFinished(async () => {
        controller.abort(new AerialError("internal.abort", "stopped"));
        await done;
      });
      await settle();
    },
  };
}

test("ghosts that were replaced are gone at the start, and nothing else is", async () => {
  const world = createWorld();
  world.add(
    podObject("ghost-1", ghost),
    podObject("ghost-2", { phase: "Failed", reason: "OutOfradio.mi.house/zigbee" }),
    podObject("failed", { phase: "Failed", reason: "Evicted" }),
    podObject("no-radio", { ...ghost, limits: { cpu: "1" } }),
    podObject("elsewhere", { ...ghost, node: "n2" }),
    podObject("other", { ...ghost, owner: { ...replicaSet, uid: "rs-2", name: "zwave-77" } }),
    podObject("z2m", { created: later }),
  );
  await world.run();
  expect([...world.pods.keys()]).toEqual(["house/failed", "house/no-radio", "house/elsewhere", "house/other", "house/z2m"]);
  expect(world.texts()).toEqual({});
});

test.for<[string, PodShape, replaces: boolean]>([
  ["runs", { created: later }, true],
  ["is about to run", { created: later, phase: "Pending" }, true],
  ["was made in the same second", {}, true],
  ["is older", { created: "2025-12-31T23:59:59Z" }, false],
  ["has failed too", { created: later, phase: "Failed" }, false],
  ["is done", { created: later, phase: "Succeeded" }, false],
  ["is going", { created: later, deleting: true }, false],
  ["is in another namespace", { created: later, namespace: "attic" }, false],
  ["belongs to nobody", { created: later, owner: undefined }, false],
  ["belongs to somebody else", { created: later, owner: { ...replicaSet, uid: "rs-2" } }, false],
  ["is of the Deployment's next ReplicaSet", { created: later, owner: { ...replicaSet, uid: "rs-2", name: "z2m-9c" }, hash: "9c" }, true],
  ["is of another Deployment", { created: later, owner: { ...replicaSet, uid: "rs-2", name: "z2m-b-9c" }, hash: "9c" }, false],
  ["only looks like it", { created: later, owner: { kind: "StatefulSet", uid: "rs-2", name: "z2m-9c" }, hash: "9c" }, false],
])("a pod that %s, %#", async ([, shape, replaces]) => {
  const world = createWorld();
  world.add(podObject("ghost", { ...ghost, hash: "5d4f" }), podObject("z2m", shape));
  await world.run();
  expect(world.pods.has("house/ghost")).toBe(!replaces);
});

test("one that is not replaced yet goes as soon as it is", async () => {
  const world = createWorld();
  world.add(podObject("ghost", ghost));
  await world.run();
  await world.clock.advance(20_000);
  expect(world.count("DELETE")).toBe(0);
  world.add(podObject("z2m", { created: later, phase: "Pending" }));
  await world.clock.advance(30_000);
  expect([...world.pods.keys()]).toEqual(["house/z2m"]);
});

test("one that is never replaced costs less and less", async () => {
  const world = createWorld();
  world.add(podObject("ghost", ghost));
  await world.run();
  await world.clock.advance(60 * minute);
  const before = world.asked.length;
  await world.clock.advance(60 * minute);
  expect(world.asked.length - before).toBeLessThanOrEqual(26);
});

test("bare ones stay and are named", async () => {
  const world = createWorld();
  world.add(podObject("alone", { ...ghost, owner: undefined }), podObject("z2m", { created: later, owner: undefined }));
  await world.run();
  expect(world.pods.has("house/alone")).toBe(true);
  expect(world.texts()).toEqual({ "ghosts.bare": expect.stringMatching(/^house\/alone was not admitted/) as string });
  world.pods.delete("house/alone");
  await world.clock.advance(minute);
  expect(world.texts()).toEqual({});
});

test("they are looked for after each start of the kubelet, and else every ten minutes", async () => {
  const world = createWorld();
  await world.run();
  await world.clock.advance(2 * minute);
  const after = world.count("LIST");
  expect(after).toBe(4);
  await world.clock.advance(30 * minute);
  expect(world.count("LIST") - after).toBe(3);
  world.add(podObject("ghost", ghost), podObject("z2m", { created: later }));
  world.nudges.set(1);
  await world.clock.advance(5_000);
  expect(world.pods.has("house/ghost")).toBe(false);
});

test("many pages are read, each no larger than the client takes", async () => {
  const world = createWorld();
  const many = Array.from({ length: 130 }, (_, index) => podObject(`ghost-${index}`, ghost));
  world.add(...many, podObject("z2m", { created: later }));
  await world.run();
  expect([...world.pods.keys()]).toEqual(["house/z2m"]);
  expect(world.count("LIST")).toBe(4);
});

test("somebody else who is quicker does no harm", async () => {
  const world = createWorld();
  world.add(podObject("ghost", ghost), podObject("ghost-2", ghost), podObject("z2m", { created: later }));
  world.refusals.set("DELETE house/ghost", new AerialError("kube.not-found", "gone"));
  await world.run();
  expect(world.texts()).toEqual({});
});

test.for(["LIST", "DELETE"])(
  "without the right to %s it is tried ever more seldom; a condition says so where a ghost is seen",
  async (verb) => {
    const world = createWorld();
    world.add(podObject("ghost", ghost), podObject("z2m", { created: later }));
    world.refusals.set(verb, new AerialError("kube.forbidden", "may not"));
    await world.run();
    const text = expect.stringContaining("apply daemonset/components/follow") as string;
    expect(world.texts()).toEqual(verb === "LIST" ? {} : { "ghosts.forbidden": text });
    await world.clock.advance(30 * minute);
    // At the start, three times soon after it, and twice since.
    expect(world.count(verb)).toBeLessThanOrEqual(6);
    world.refusals.clear();
    await world.clock.advance(10 * minute);
    expect([world.pods.has("house/ghost"), world.texts()]).toEqual([false, {}]);
  },
);

test("an API server that is away is asked again", async () => {
  const world = createWorld();
  world.add(podObject("ghost", ghost), podObject("z2m", { created: later }));
  world.refusals.set("LIST", new AerialError("kube.unreachable", "away"));
  await world.run();
  await world.clock.advance(30_000);
  expect(world.texts()).toEqual({ "ghosts.failing": expect.stringContaining("away") as string });
  world.refusals.clear();
  await world.clock.advance(minute);
  expect(world.pods.has("house/ghost")).toBe(false);
});
