import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { Cell } from "../../core/cell.ts";
import { createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import type { RadioHolder } from "../../core/handover.ts";
import type { PodDevices } from "../../kubelet/pod-resources.ts";
import { runHolders } from "./holders.ts";

const zigbee = "radio.mi.house/zigbee";

const podWith = (name: string, changes: Partial<PodDevices["containers"][number]>): PodDevices => ({
  name,
  namespace: "home",
  containers: [{ name: "main", devices: [], dynamicResources: [], ...changes }],
});
const given = (name: string, ...deviceIds: readonly string[]) => podWith(name, { devices: [{ resourceName: zigbee, deviceIds }] });

let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
});
afterEach(() => stop.abort());

function run(first: readonly PodDevices[] | AerialError = []) {
  const clock = createManualClock();
  const conditions = createConditions(clock);
  const holders = new Cell<readonly RadioHolder[]>([]);
  const nudges = new Cell(0);
  const world = { answer: first, asked: 0, changes: 0 };
  const list = (): Promise<readonly PodDevices[]> => {
    world.asked += 1;
    return world.answer instanceof AerialError ? Promise.reject(world.answer) : Promise.resolve(world.answer);
  };
  const radioOfDevice = (device: string) => (device.startsWith("radio-") ? device.slice(6) : undefined);
  const done = runHolders({ kubelet: { list }, nudges, domain: "radio.mi.house", radioOfDevice, clock, conditions, holders }, stop.signal);
  const count = async (): Promise<void> => {
    for await (const _holders of holders.changes(stop.signal)) world.changes += 1;
  };
  void count();
  return { world, clock, conditions, holders, nudge: () => nudges.set(nudges.current + 1), done };
}

describe("who holds what", () => {
  test("is what the kubelet says of our resources and our driver, each once", async () => {
    const claim = (driverName: string, deviceName: string) => ({
      claimName: "stick",
      claimNamespace: "home",
      claimResources: [{ driverName, poolName: "n1", deviceName }],
    });
    const { clock, holders } = run([
      podWith("z2m", {
        devices: [
          { resourceName: zigbee, deviceIds: ["b", "a", "a"] },
          { resourceName: "squat.ai/serial", deviceIds: ["c"] },
        ],
      }),
      podWith("zha", {
        dynamicResources: [claim("radio.mi.house", "radio-d"), claim("radio.mi.house", "unknown"), claim("gpu.example", "radio-e")],
      }),
    ]);
    await clock.advance(0);
    const common = { namespace: "home", container: "main", since: "2026-01-01T00:00:00.000Z" };
    expect(holders.current).toEqual([
      { ...common, radioId: "a", pod: "z2m", way: "device-plugin", request: zigbee },
      { ...common, radioId: "b", pod: "z2m", way: "device-plugin", request: zigbee },
      { ...common, radioId: "d", pod: "zha", way: "resource-claim", request: "stick" },
    ]);
  });

  test("is since it was first seen, and nobody is told of what is the same", async () => {
    const { world, clock, holders } = run([given("z2m", "a")]);
    await clock.advance(35_000);
    expect([holders.current[0]?.since, world.changes]).toEqual(["2026-01-01T00:00:00.000Z", 2]);
    world.answer = [given("z2m", "a", "b")];
    await clock.advance(10_000);
    expect(holders.current.map(({ since }) => since)).toEqual(["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:40.000Z"]);
    world.answer = [];
    await clock.advance(16_000);
    expect(holders.current).toEqual([]);
  });

  test("is at once the pod that came in another's place, under its name and with another radio", async () => {
    const { world, clock, holders, nudge } = run([given("z2m-0", "a")]);
    await clock.advance(0);
    world.answer = [given("z2m-0", "b")];
    nudge();
    await clock.advance(300);
    expect(holders.current.map(({ pod, radioId }) => [pod, radioId])).toEqual([["z2m-0", "b"]]);
  });

  test("outlives a kubelet that has just started and knows no pods yet", async () => {
    const { world, clock, holders, nudge } = run([given("z2m", "a"), given("zha", "b")]);
    await clock.advance(5_000);
    world.answer = [];
    nudge();
    await clock.advance(4_000);
    expect(holders.current).toHaveLength(2);
    world.answer = [given("z2m", "a")];
    await clock.advance(10_000);
    expect(holders.current).toMatchObject([{ pod: "z2m", since: "2026-01-01T00:00:00.000Z" }]);
    world.answer = [given("z2m-new", "a")];
    nudge();
    await clock.advance(500);
    expect(holders.current).toMatchObject([{ pod: "z2m-new" }]);
  });
});

describe("the kubelet is asked", () => {
  test("every minute while nothing is held, every ten seconds while something is", async () => {
    const { world, clock } = run();
    await clock.advance(0);
    const before = world.asked;
    await clock.advance(180_000);
    expect(world.asked - before).toBe(3);
    world.answer = [given("z2m", "a")];
    await clock.advance(60_000);
    const held = world.asked;
    await clock.advance(60_000);
    expect(world.asked - held).toBe(6);
  });

  test("soon after something was given, and not again and again", async () => {
    const { world, clock, holders, nudge } = run();
    await clock.advance(10_000);
    world.answer = [given("z2m", "a")];
    nudge();
    await clock.advance(0);
    expect(holders.current).toHaveLength(1);
    const before = world.asked;
    await clock.advance(4_500);
    expect(world.asked - before).toBe(3);
  });
});

describe("a kubelet that is away", () => {
  test("keeps what is known, is a condition after a minute, and none once it is back", async () => {
    const { world, clock, conditions, holders } = run([given("z2m", "a")]);
    await clock.advance(5_000);
    world.answer = new AerialError("kubelet.unreachable", "nobody listens");
    await clock.advance(60_000);
    expect([holders.current.length, conditions.current.size]).toEqual([1, 0]);
    await clock.advance(20_000);
    expect(conditions.current.get("kubelet.pod-resources.away")?.text).toContain("nobody listens");
    expect(holders.current).toHaveLength(1);
    world.answer = [];
    await clock.advance(16_000);
    expect([holders.current.length, conditions.current.size]).toEqual([0, 0]);
  });

  test("ends with the signal, also while it is asked", async () => {
    const { clock, done } = run(new AerialError("kubelet.unreachable", "nobody listens"));
    await clock.advance(1_000);
    stop.abort(new Error("enough"));
    await done;
  });
});

describe("whatever the kubelet says", () => {
  test("there are so many holders at most", async () => {
    const { clock, holders } = run(
      Array.from({ length: 50 }, (_, pod) => given(`pod-${pod}`, ...Array.from({ length: 200 }, (_, id) => `r${id}`))),
    );
    await clock.advance(0);
    expect(holders.current).toHaveLength(1_024);
  });

  test("names are bounded text, and ids are ids", async () => {
    const name = fc.string({ unit: "binary", maxLength: 400 });
    const pod = fc.record({ name, namespace: name, container: name, ids: fc.array(name, { maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(pod, { maxLength: 5 }), async (pods) => {
        stop = new AbortController();
        const { clock, holders } = run(
          pods.map(({ container, ids, ...rest }) => ({
            ...rest,
            containers: [{ name: container, devices: [{ resourceName: zigbee, deviceIds: ids }], dynamicResources: [] }],
          })),
        );
        await clock.advance(0);
        stop.abort();
        for (const holder of holders.current) {
          expect(holder.radioId).toMatch(/^[\w.-]{1,63}$/);
          expect(holder.pod.length + holder.namespace.length + holder.container.length).toBeLessThan(6_000);
          // oxlint-disable-next-line no-control-regex -- the very characters that must not get through
          expect(JSON.stringify(holder)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        }
      }),
      { numRuns: 50 },
    );
  });
});
