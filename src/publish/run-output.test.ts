import { expect, onTestFinished, test } from "vitest";
import { type ManualClock, createManualClock, settle } from "../../test/fixtures/manual-clock.ts";
import { sampleSnapshot } from "../../test/fixtures/sample-radios.ts";
import { Cell } from "../core/cell.ts";
import { type Conditions, createConditions } from "../core/condition.ts";
import { AerialError } from "../core/errors.ts";
import { silentLog } from "../core/log.ts";
import type { Output } from "../core/output.ts";
import type { Snapshot } from "../core/radio.ts";
import { type OutputCounters, noOutputCounters, runOutput } from "./run-output.ts";

interface Run {
  readonly clock: ManualClock;
  readonly snapshots: Cell<Snapshot>;
  readonly nudges: Cell<number>;
  readonly counters: Cell<OutputCounters>;
  readonly conditions: Conditions;
  /** Revisions applied, in order. */
  readonly applied: readonly Snapshot[];
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

function run(apply: (...args: Parameters<Output["apply"]>) => Promise<number | undefined>): Run {
  const clock = createManualClock();
  const snapshots = new Cell(sampleSnapshot([]));
  const nudges = new Cell(0);
  const counters = new Cell(noOutputCounters);
  const conditions = createConditions(clock);
  const applied: Snapshot[] = [];
  const controller = new AbortController();
  const output: Output = {
    name: "test",
    apply(snapshot, signal) {
      applied.push(snapshot);
      return apply(snapshot, signal);
    },
  };
  const done = runOutput({ output, snapshots, clock, log: silentLog, conditions, nudges, counters }, controller.signal);
  onTestFinished(async () => {
    controller.abort(new AerialError("internal.abort", "test over"));
    await done;
  });
  return { clock, snapshots, nudges, counters, conditions, applied, controller, done };
}

const minute = 60_000;
const nothing = (): Promise<undefined> => Promise.resolve(undefined);

test("applies the current snapshot at once and each newer one", async () => {
  const { snapshots, applied } = run(nothing);
  await settle();
  expect(applied).toEqual([snapshots.current]);
  snapshots.set(sampleSnapshot([]));
  await settle();
  expect(applied.at(-1)).toBe(snapshots.current);
  expect(applied).toHaveLength(2);
});

test("a slow output skips to the newest", async () => {
  const gates: (() => void)[] = [];
  const { snapshots, applied } = run(() => new Promise((resolve) => gates.push(() => resolve(undefined))));
  await settle();
  for (let count = 0; count < 100; count += 1) snapshots.set(sampleSnapshot([]));
  gates[0]!();
  await settle();
  gates[1]!();
  await settle();
  expect(applied).toHaveLength(2);
  expect(applied[1]).toBe(snapshots.current);
});

test("a failure is retried under backoff, with what is newest then, and raises a condition meanwhile", async () => {
  let failing = true;
  const { clock, snapshots, applied, conditions, counters } = run(async () => {
    if (failing) throw new AerialError("kube.forbidden", "may not patch nodes");
    return undefined;
  });
  await settle();
  expect(conditions.current.get("output.test.failing")).toMatchObject({
    severity: "warning",
    text: "may not patch nodes; apply the ClusterRole in daemonset/base",
  });
  for (let count = 0; count < 10; count += 1) {
    snapshots.set(sampleSnapshot([]));
    await settle();
  }
  expect(applied).toHaveLength(1);
  await clock.advance(1_000);
  expect(applied).toHaveLength(2);
  expect(applied[1]).toBe(snapshots.current);
  await clock.advance(10 * minute);
  expect(applied.length).toBeLessThan(30);
  expect(applied.length).toBeGreaterThan(10);

  failing = false;
  await clock.advance(minute);
  expect(conditions.current.size).toBe(0);
  expect(counters.current).toMatchObject({ attempts: applied.length, failures: applied.length - 1, retries: applied.length - 1 });
  expect(counters.current.lastSuccessAt).toBeGreaterThan(0);
});

test("an error that is a mistake of ours is an error, and retried too", async () => {
  const { clock, applied, conditions } = run(() => Promise.reject(new TypeError("oops")));
  await settle();
  expect(conditions.current.get("output.test.failing")).toMatchObject({ severity: "error", text: "oops" });
  await clock.advance(1_000);
  expect(applied).toHaveLength(2);
});

test("is called again when the output says so, and every ten minutes otherwise", async () => {
  let wakeAt: number | undefined;
  const { clock, applied } = run(() => {
    const said = wakeAt;
    wakeAt = undefined;
    return Promise.resolve(said);
  });
  await settle();
  await clock.advance(10 * minute - 1);
  expect(applied).toHaveLength(1);
  wakeAt = clock.now() + 5_001;
  await clock.advance(1);
  expect(applied).toHaveLength(2);
  await clock.advance(4_999);
  expect(applied).toHaveLength(2);
  await clock.advance(1);
  expect(applied).toHaveLength(3);
  await clock.advance(minute);
  expect(applied).toHaveLength(3);
});

test("an output that always asks for the past does not spin", async () => {
  const { clock, applied } = run(() => Promise.resolve(0));
  await clock.advance(1_000);
  expect(applied.length).toBeLessThanOrEqual(101);
});

test("a nudge is followed at once, a fight over labels is not", async () => {
  const { clock, nudges, applied } = run(nothing);
  await settle();
  nudges.set(1);
  await settle();
  expect(applied).toHaveLength(2);
  for (let count = 2; count < 602; count += 1) {
    nudges.set(count);
    await clock.advance(100);
  }
  expect(applied.length).toBeLessThan(12);
  await clock.advance(2 * minute);
  const before = applied.length;
  nudges.set(1_000);
  await settle();
  expect(applied).toHaveLength(before + 1);
});

test("a new snapshot does not wait for a fight over labels", async () => {
  const { clock, nudges, snapshots, applied } = run(nothing);
  for (let count = 1; count < 20; count += 1) {
    nudges.set(count);
    await clock.advance(1_000);
  }
  nudges.set(100);
  const before = applied.length;
  snapshots.set(sampleSnapshot([]));
  await settle();
  expect(applied).toHaveLength(before + 1);
  expect(applied.at(-1)).toBe(snapshots.current);
});

test("aborting ends it, also in the middle of an apply", async () => {
  const { controller, done, conditions } = run(
    (_snapshot, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  );
  await settle();
  controller.abort(new AerialError("internal.abort", "stop"));
  await done;
  expect(conditions.current.size).toBe(0);
});
