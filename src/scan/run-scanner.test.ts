import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createManualClock, settle, type ManualClock } from "../../test/fixtures/manual-clock.ts";
import { noDriverStick, sonoffDonglePlus } from "../../test/lab/sticks.ts";
import { createHostTree, type HostTree } from "../../test/light/host-tree.ts";
import { createConditions, type Conditions } from "../core/condition.ts";
import { AerialError } from "../core/errors.ts";
import { silentLog } from "../core/log.ts";
import type { HintListener, HintSource } from "../host/hint-source.ts";
import { hostPathsBelow } from "../host/host-paths.ts";
import { openHost, type Host } from "../host/host.ts";
import { createHints } from "./hints.ts";
import { runScanner, sameDevices, type ScannerDeps } from "./run-scanner.ts";
import type { Scan } from "./scan.ts";

interface World {
  readonly root: string;
  readonly tree: HostTree;
  readonly clock: ManualClock;
  readonly conditions: Conditions;
  readonly scans: Scan[];
  /** When each scan was handed over, in milliseconds since the start. */
  readonly times: number[];
  readonly hints: ReturnType<typeof createHints>;
  readonly host: Host;
  readonly start: (changes?: Partial<ScannerDeps>) => Running;
}

interface Running {
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
}

function makeWorld(hintSources: readonly HintSource[] = []): World {
  const root = mkdtempSync(join(tmpdir(), "aerial-scanner-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const clock = createManualClock();
  const begin = clock.now();
  const conditions = createConditions(clock);
  const hints = createHints();
  const scans: Scan[] = [];
  const times: number[] = [];
  // Strings come at once: here time is the clock's, and no thread may have its own idea of it.
  const host: Host = { ...openHost({ paths: hostPathsBelow(root), clock }), hintSources, usbStrings: { read: async () => ({}) } };
  const start = (changes: Partial<ScannerDeps> = {}): Running => {
    const lifetime = new AbortController();
    const onScan = (scan: Scan): void => {
      scans.push(scan);
      times.push(clock.now() - begin);
    };
    const ended = runScanner({ host, clock, log: silentLog, conditions, intervalMs: 10_000, hints, onScan, ...changes }, lifetime.signal);
    const stop = async (): Promise<void> => {
      lifetime.abort(new AerialError("internal.abort", "the test is over"));
      await ended;
    };
    onTestFinished(() => stop().catch(() => {}));
    return { ended, stop };
  };
  return { root, tree: createHostTree(root), clock, conditions, scans, times, hints, host, start };
}

test("idle, it scans at once and then once an interval, for ever", async () => {
  const { clock, times, start } = makeWorld();
  start();
  await clock.advance(60_000);
  expect(times).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
});

test("a hint is a scan at once, and three more for what comes late", async () => {
  const { clock, hints, times, start } = makeWorld();
  start();
  await clock.advance(5_000);
  hints.give("test");
  await clock.advance(14_000);
  expect(times).toEqual([0, 5_000, 5_100, 6_000, 8_000, 18_000]);
});

test("hints within 25 ms share a scan", async () => {
  const { clock, hints, times, start } = makeWorld();
  start();
  await clock.advance(1_000);
  for (let hint = 0; hint < 5; hint += 1) {
    hints.give("test");
    await clock.advance(5);
  }
  await clock.advance(0);
  expect(times).toEqual([0, 1_000, 1_025]);
});

test("a storm of hints neither starves scanning nor makes more than forty scans a second", async () => {
  const { clock, hints, times, start } = makeWorld();
  start();
  for (let milliseconds = 0; milliseconds < 2_000; milliseconds += 5) {
    hints.give("storm");
    await clock.advance(5);
  }
  expect(times.length).toBeGreaterThanOrEqual(76);
  expect(times.length).toBeLessThanOrEqual(84);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(25);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(35);
});

test("no scan begins while the last one is still being dealt with", async () => {
  const { clock, hints, start } = makeWorld();
  let inside = 0;
  let most = 0;
  const seen: Scan[] = [];
  start({
    async onScan(scan) {
      inside += 1;
      most = Math.max(most, inside);
      seen.push(scan);
      await clock.sleep(5_000, new AbortController().signal);
      inside -= 1;
    },
  });
  await settle();
  hints.give("test");
  await clock.advance(4_000);
  expect(seen).toHaveLength(1);
  await clock.advance(60_000);
  expect(seen.length).toBeGreaterThan(5);
  expect(most).toBe(1);
});

test("scans tell what is plugged and unplugged, and equal ones are told apart from others", async () => {
  const { clock, tree, hints, scans, start } = makeWorld();
  start();
  await clock.advance(0);
  const stick = tree.plug(sonoffDonglePlus);
  hints.give("test");
  await clock.advance(4_000);
  stick.remove();
  hints.give("test");
  await clock.advance(0);
  const [empty, plugged, again] = scans;
  expect(scans.map(({ devices }) => devices.length)).toEqual([0, 1, 1, 1, 1, 0]);
  expect(empty && plugged && sameDevices(empty, plugged)).toBe(false);
  expect(plugged && again && sameDevices(plugged, again)).toBe(true);
});

test("a failing scan raises a condition, changes nothing and is tried again", async () => {
  const { root, clock, conditions, scans, start } = makeWorld();
  start();
  await clock.advance(0);
  renameSync(join(root, "sys"), join(root, "away"));
  await clock.advance(10_000);
  expect(conditions.current.get("scan.failed")).toMatchObject({ severity: "error", text: expect.stringContaining("no sysfs") });
  expect(scans).toHaveLength(1);
  renameSync(join(root, "away"), join(root, "sys"));
  await clock.advance(5_000);
  expect(conditions.current.has("scan.failed")).toBe(false);
  expect(scans.length).toBeGreaterThanOrEqual(2);
});

test("what onScan throws ends the scanner", async () => {
  const { clock, start } = makeWorld();
  const { ended } = start({ onScan: () => Promise.reject(new AerialError("inventory.unusable", "disk full")) });
  await Promise.all([expect(ended).rejects.toThrow("disk full"), clock.advance(0)]);
});

test("stopped while it waits, it ends and scans no more", async () => {
  const { clock, times, start } = makeWorld();
  const { stop } = start();
  await clock.advance(0);
  await stop();
  await clock.advance(60_000);
  expect(times).toEqual([0]);
});

test("a clock that is set back or far ahead does not stop the scans", async () => {
  const { clock, scans, start } = makeWorld();
  let offset = 0;
  const wandering = { now: () => clock.now() + offset, sleep: (...args: Parameters<ManualClock["sleep"]>) => clock.sleep(...args) };
  start({ clock: wandering });
  await clock.advance(0);
  offset = -86_400_000;
  await clock.advance(10_100);
  expect(scans).toHaveLength(2);
  offset = 50 * 365 * 86_400_000;
  await clock.advance(10_000);
  expect(scans.length).toBeGreaterThanOrEqual(3);
});

test("a source is heard, and started again with a condition when it fails", async () => {
  const listeners: HintListener[] = [];
  let fail: (error: Error) => void = () => {};
  const source: HintSource = {
    name: "made-up",
    hearsAll: false,
    run(listener, signal) {
      listeners.push(listener);
      listener.listening();
      return new Promise((resolve, reject) => {
        fail = reject;
        signal.addEventListener("abort", () => resolve());
      });
    },
  };
  const { clock, conditions, times, start } = makeWorld([source]);
  start();
  await clock.advance(5_000);
  listeners[0]?.hint();
  await clock.advance(0);
  expect(times).toContain(5_000);

  fail(new AerialError("host.read", "the watch broke"));
  await settle();
  expect(conditions.current.get("hints.made-up")).toMatchObject({ severity: "warning", text: expect.stringContaining("the watch broke") });
  await clock.advance(1_000);
  expect(listeners).toHaveLength(2);
  expect(conditions.current.has("hints.made-up")).toBe(false);
});

test("while a source hears everything the timer takes its time, and no longer than that", async () => {
  let fail: (error: Error) => void = () => {};
  const source: HintSource = {
    name: "made-up",
    hearsAll: true,
    run: (listener, signal) => {
      listener.listening();
      return new Promise((resolve, reject) => {
        fail = reject;
        signal.addEventListener("abort", () => resolve());
      });
    },
  };
  const { clock, times, start } = makeWorld([source]);
  start();
  await clock.advance(170_000);
  expect(times.filter((time) => time > 3_000)).toEqual([13_000, 23_000, 33_000, 93_000, 153_000]);
  const { length } = times;
  fail(new AerialError("host.read", "the watch broke"));
  await clock.advance(0);
  expect(times.length).toBe(length + 1);
});

test("a source that hears only in part says so", async () => {
  const source: HintSource = {
    name: "made-up",
    hearsAll: false,
    run: (listener, signal) => {
      listener.listening("half deaf");
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    },
  };
  const { clock, conditions, start } = makeWorld([source]);
  const { stop } = start();
  await clock.advance(0);
  expect(conditions.current.get("hints.made-up")?.text).toContain("half deaf");
  await stop();
  expect(conditions.current.has("hints.made-up")).toBe(false);
});

test("a stick without a driver is reported after three seconds, with the module it needs, until it goes", async () => {
  const { clock, tree, hints, conditions, start } = makeWorld();
  start();
  await clock.advance(0);
  const stick = tree.plug({ ...noDriverStick, vendorId: "10c4", productId: "ea60" }, { port: 5 });
  const code = "device.1-5.1.driver-missing";
  hints.give("test");
  await clock.advance(2_900);
  expect(conditions.current.has(code)).toBe(false);
  await clock.advance(200);
  expect(conditions.current.get(code)).toMatchObject({ severity: "warning", text: expect.stringMatching(/10c4:ea60.*1-5\.1.*cp210x/) });
  stick.remove();
  hints.give("test");
  await clock.advance(0);
  expect(conditions.current.size).toBe(0);
});

test("a port that flaps is reported, and is forgiven when it is calm", async () => {
  const { clock, tree, hints, conditions, start } = makeWorld();
  start();
  await clock.advance(0);
  for (let turn = 0; turn < 5; turn += 1) {
    const stick = tree.plug(sonoffDonglePlus, { port: 1 });
    hints.give("test");
    await clock.advance(1_000);
    expect(conditions.current.has("device.1-1.unstable")).toBe(turn === 4);
    stick.remove();
    hints.give("test");
    await clock.advance(1_000);
  }
  expect(conditions.current.get("device.1-1.unstable")).toMatchObject({ severity: "warning", text: expect.stringContaining("cable") });
  tree.plug(sonoffDonglePlus, { port: 1 });
  await clock.advance(45_000);
  expect(conditions.current.size).toBe(0);
});
