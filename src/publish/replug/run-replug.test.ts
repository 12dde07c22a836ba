import { describe, expect, onTestFinished, test } from "vitest";
import { createManualClock, settle } from "../../../test/fixtures/manual-clock.ts";
import { sampleRadio, sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { Cell } from "../../core/cell.ts";
import { createConditions } from "../../core/condition.ts";
import { AerialError } from "../../core/errors.ts";
import type { HandedContainer } from "../../core/handed-container.ts";
import type { RadioHolder } from "../../core/handover.ts";
import { silentLog } from "../../core/log.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import { type ContainerRestart, type ReplugDependencies, runReplug } from "./run-replug.ts";

const { device } = sampleRadio("any");
const at = (id: string, minor: number, changes: Partial<Radio> = {}): Radio =>
  sampleRadio(id, { device: { ...device, nodes: [{ path: `/dev/ttyUSB${minor}`, major: 188, minor }] }, ...changes });
const away = (id: string, minor: number): Radio => at(id, minor, { presence: "absent" });
const holding = (
  containerId: string,
  minor: number,
  changes: { readonly id?: string; readonly byCdi?: boolean; readonly podUid?: string } = {},
): HandedContainer => {
  const { id = "a", byCdi = true, podUid = "pod-1" } = changes;
  return { podUid, containerId, node: "n1", radios: [{ id, device: `188:${minor}`, byCdi }] };
};

const holder: RadioHolder = {
  radioId: "a",
  namespace: "home",
  pod: "zigbee2mqtt-0",
  container: "z2m",
  way: "device-plugin",
  request: "radio.mi.house/zigbee",
  since: "2026-01-01T00:00:00.000Z",
};

function start(
  radios: readonly Radio[],
  running: HandedContainer[],
  { isComplete = true, ...changes }: Partial<ReplugDependencies> & { readonly isComplete?: boolean } = {},
) {
  const clock = createManualClock();
  const conditions = createConditions(clock);
  const snapshots = new Cell<Snapshot>(sampleSnapshot(radios, { complete: isComplete }));
  const restarts: ContainerRestart[] = [];
  const ended: string[] = [];
  let looks = 0;
  const stop = new AbortController();
  const run = runReplug(
    {
      snapshots,
      clock,
      log: silentLog,
      conditions,
      policy: "restart",
      written: async () => snapshots.current,
      holders: new Cell([holder]),
      restarted: (restart) => void restarts.push(restart),
      containers: {
        async find() {
          looks += 1;
          return [...running];
        },
        async end({ containerId }) {
          ended.push(containerId);
          running.splice(0, running.length, ...running.filter((one) => one.containerId !== containerId));
        },
      },
      ...changes,
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort(new AerialError("internal.abort", "the test is over"));
    await run;
  });
  const now = async (next: readonly Radio[], more: Partial<Snapshot> = {}): Promise<void> => {
    snapshots.set(sampleSnapshot(next, more));
    await settle();
  };
  return { clock, conditions, restarts, ended, now, looks: () => looks, running };
}

describe("a container", () => {
  test("is ended once when its radio came back as another device node", async () => {
    const { clock, conditions, restarts, ended, now, running } = start([at("a", 0)], [holding("one", 0)]);
    await clock.advance(60_000);
    await now([away("a", 0)]);
    await clock.advance(60_000);
    expect(ended).toEqual([]);
    await now([at("a", 1)]);
    expect(ended).toEqual(["one"]);
    expect(restarts).toEqual([{ podUid: "pod-1", containerId: "one", radioId: "a", from: "188:0", to: "188:1", holder }]);
    running.push(holding("two", 1));
    await clock.advance(60_000);
    expect(ended).toHaveLength(1);
    expect(conditions.current.size).toBe(0);
  });

  test("is left alone when the radio came back with the same numbers", async () => {
    const { clock, ended, now } = start([at("a", 0)], [holding("one", 0)]);
    await now([away("a", 0)]);
    await now([at("a", 0)]);
    await clock.advance(60_000);
    expect(ended).toEqual([]);
  });

  test("is ended after the first whole scan for a replug that nobody saw, and not before", async () => {
    const { clock, ended, now, looks } = start([away("a", 0)], [holding("one", 0)], { isComplete: false });
    await now([at("a", 1)], { complete: false });
    await clock.advance(60_000);
    expect([looks(), ended]).toEqual([0, []]);
    await now([at("a", 1)]);
    expect(ended).toEqual(["one"]);
  });

  test("that comes up a little later with what was read before is ended too", async () => {
    const { clock, ended, now, running } = start([at("a", 0)], []);
    await now([at("a", 1)]);
    running.push(holding("late", 0));
    await clock.advance(2_000);
    expect(ended).toEqual(["late"]);
  });

  test("that is no better after its restart is not restarted again, and people are told", async () => {
    const { clock, conditions, ended, now, running } = start([at("a", 0)], [holding("one", 0)]);
    await now([at("a", 1)]);
    running.push(holding("two", 0));
    await clock.advance(60_000);
    expect(ended).toEqual(["one"]);
    expect(conditions.current.get("handover.stale-device")?.text).toContain("A restart did not help.");
    await now([at("a", 2)]);
    expect(ended).toEqual(["one", "two"]);
    await clock.advance(60_000);
    expect(conditions.current.size).toBe(0);
  });

  test("is ended at each replug, though the stick goes back and forth between two numbers", async () => {
    const { clock, ended, now, running } = start([at("a", 0)], [holding("c0", 0)]);
    for (const [count, minor] of [1, 0, 1, 0].entries()) {
      await now([at("a", minor)]);
      await clock.advance(1_000);
      if (running.length === 0) running.push(holding(`c${count + 1}`, minor));
      await clock.advance(3_600_000);
    }
    expect(ended).toEqual(["c0", "c1", "c2", "c3"]);
  });

  test("is left alone while its radio is in its bootloader, or has no driver yet", async () => {
    const { clock, ended, now } = start([at("a", 0)], [holding("one", 0)]);
    await now([at("a", 1, { mode: "bootloader" })]);
    await clock.advance(60_000);
    const raw = { ...device, function: "usb", nodes: [{ path: "/dev/bus/usb/001/005", major: 189, minor: 4 }] } as const;
    await now([sampleRadio("a", { device: raw })]);
    await clock.advance(60_000);
    expect(ended).toEqual([]);
    await now([at("a", 1)]);
    expect(ended).toEqual(["one"]);
  });

  test("of another node's, or of a radio that nobody knows, is nothing to us", async () => {
    const foreign = { ...holding("one", 0), node: "n2" };
    const { clock, ended, now } = start([at("a", 0)], [foreign, holding("two", 0, { id: "b" })]);
    await now([at("a", 1)]);
    await clock.advance(60_000);
    expect(ended).toEqual([]);
  });

  test("is ended when its radio is away and another has its numbers: it would speak to the wrong one", async () => {
    const { ended, now, restarts } = start([at("a", 0), at("b", 1)], [holding("one", 0), holding("two", 1, { id: "b", podUid: "pod-2" })]);
    await now([away("a", 0), away("b", 1)]);
    expect(ended).toEqual([]);
    await now([away("a", 0), at("b", 0)]);
    expect(ended.toSorted()).toEqual(["one", "two"]);
    expect(restarts[0]).toMatchObject({ radioId: "a", from: "188:0" });
    expect(restarts[0]).not.toHaveProperty("to");
  });
});

test("all containers that share a radio are ended, in one go", async () => {
  const { clock, ended, now } = start([at("a", 0)], [holding("one", 0), holding("two", 0)]);
  await now([at("a", 1)]);
  await clock.advance(60_000);
  expect(ended).toEqual(["one", "two"]);
});

test("nothing is ended before the files are written, and that is waited for so long", async () => {
  let isWritten = false;
  const world = start([at("a", 1)], [holding("one", 0)], {
    written: (signal) =>
      isWritten
        ? Promise.resolve(sampleSnapshot([at("a", 1)]))
        : new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
  });
  await world.clock.advance(15_000);
  expect([world.ended, world.conditions.current.size]).toEqual([[], 0]);
  await world.clock.advance(10_000);
  expect(world.conditions.current.get("handover.replug")?.text).toContain("not written");
  isWritten = true;
  await world.clock.advance(60_000);
  expect(world.ended).toEqual(["one"]);
  expect(world.conditions.current.size).toBe(0);
});

test("told to ignore, and without CDI, it says what is wrong and touches nothing", async () => {
  const ignoring = start([at("a", 1)], [holding("one", 0)], { policy: "ignore" });
  await ignoring.clock.advance(60_000);
  expect(ignoring.ended).toEqual([]);
  expect(ignoring.conditions.current.get("handover.stale-device")?.text).toMatch(/home\/zigbee2mqtt-0 still has .*onReplug/);

  const classic = start([at("a", 1)], [holding("one", 0, { byCdi: false })]);
  await classic.clock.advance(60_000);
  expect(classic.ended).toEqual([]);
  expect(classic.conditions.current.get("handover.stale-device")).toMatchObject({
    severity: "warning",
    text: expect.stringMatching(/188:0 of radio a, which is 188:1 now\. The kubelet repeats the old path.*Delete the pod/),
  });
  await classic.now([at("a", 0)]);
  expect(classic.conditions.current.size).toBe(0);
});

test("what keeps it from looking or ending is a condition, and tried again; only what was ended is told, once", async () => {
  let refusals = 2;
  const running = [holding("one", 0)];
  const { clock, conditions, restarts } = start([at("a", 1)], [], {
    containers: {
      find: async () => [...running],
      async end() {
        refusals -= 1;
        if (refusals >= 0) throw new AerialError("handover.processes", "kill EPERM");
        running.pop();
      },
    },
  });
  await clock.advance(500);
  expect(conditions.current.get("handover.replug")).toMatchObject({ severity: "warning", text: expect.stringContaining("EPERM") });
  expect(restarts).toEqual([]);
  await clock.advance(60_000);
  expect([running, conditions.current.size]).toEqual([[], 0]);
  expect(restarts.map(({ containerId }) => containerId)).toEqual(["one"]);
});

test("snapshots in which no device node has changed are not looked at", async () => {
  const { clock, now, looks } = start([at("a", 0)], []);
  await clock.advance(120_000);
  const before = looks();
  for (let round = 0; round < 20; round += 1) await now([at("a", 0, { name: String(round) })]);
  await clock.advance(120_000);
  expect(looks()).toBe(before);
});
