/** Hints in, whole scans out. */
import { isDeepStrictEqual } from "node:util";
import { createBackoff } from "../core/backoff.ts";
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import { AerialError, describeError } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { Log } from "../core/log.ts";
import type { Host } from "../host/host.ts";
import { createDriverWatch } from "./driver-watch.ts";
import { createHints, type Hints, runHintSource } from "./hints.ts";
import type { Scan } from "./scan.ts";
import type { ScanCounters } from "./scan-counters.ts";
import { scanDevices } from "./scan-devices.ts";
import { createSettling } from "./settling.ts";
import { createStabilityWatch } from "./stability-watch.ts";

export interface ScannerDeps {
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  /** How often to scan although nothing was heard, where the kernel's events are not; where they are, a sixth as often. */
  readonly intervalMs: number;
  /** Given by whoever wants to ask for a scan; the host's own sources feed it either way. */
  readonly hints?: Hints;
  readonly counters?: ScanCounters;
  /** Gets every scan, one at a time; the next one waits for it. What it throws ends the scanner. */
  onScan(scan: Scan): void | Promise<void>;
}

/** Hints closer together than this share a scan. */
const gapMs = 25;
/**
 * While the kernel's events are heard, the timer only guards against what should not happen: after so many scans that
 * found the same it waits for as many intervals.
 */
const patience = 6;
/** After a hint the kernel may not be done: drivers load and bind, udevd changes modes. */
const followUpsMs = [100, 1_000, 3_000];

/**
 * Scans at once, after every hint and its follow-ups, and by the timer; never two at a time. A scan that fails
 * raises `scan.failed` and is tried again. Resolves when the signal aborts.
 */
export async function runScanner(deps: ScannerDeps, signal: AbortSignal): Promise<void> {
  const hints = deps.hints ?? createHints();
  // A loop that ends takes the others with it.
  using lifetime = linkSignal(signal);
  const { clock, log, conditions } = deps;
  const sources = deps.host.hintSources.map((source) => runHintSource({ hints, clock, log, conditions }, source, lifetime.signal));
  try {
    await Promise.race([scanForever(deps, hints, lifetime.signal), ...sources]);
  } finally {
    lifetime.abort(new AerialError("internal.abort", "the scanner is stopping"));
    await Promise.allSettled(sources);
  }
}

/** Whether two scans found the same: everything but when, and what they could not see. */
export function sameDevices(a: Scan, b: Scan): boolean {
  return isDeepStrictEqual(a.devices, b.devices);
}

async function scanForever(deps: ScannerDeps, hints: Hints, signal: AbortSignal): Promise<void> {
  const { host, clock, log, conditions, intervalMs, counters } = deps;
  const watchDrivers = createDriverWatch(clock, conditions);
  const watchStability = createStabilityWatch(clock, conditions);
  const settle = createSettling(clock);
  const retry = createBackoff();
  let startedAt = -Infinity;
  let followUps: readonly number[] = [];
  let extra: number | undefined;
  let last: Scan | undefined;
  let calmScans = 0;
  let hintedAt: number | undefined;

  while (!signal.aborted) {
    const timerMs = hints.hearing && calmScans >= patience ? patience * intervalMs : intervalMs;
    const next = Math.min(startedAt + timerMs, ...followUps, extra ?? Infinity);
    // Bounded on both sides, since the clock may be set at any time.
    await pause({ hints, clock, milliseconds: clamp(next - clock.now(), timerMs) }, signal);
    await clock.sleep(clamp(startedAt + gapMs - clock.now(), gapMs), signal).catch(() => {});
    if (signal.aborted) return;
    startedAt = clock.now();
    const { sources, since } = hints.take();
    if (sources.length > 0) {
      log.debug({ sources }, "looking, since something may have changed");
      followUps = followUpsMs.map((milliseconds) => startedAt + milliseconds);
    }
    // What a follow-up finds, its hint has told of.
    hintedAt = since ?? (followUps.length > 0 ? hintedAt : undefined);
    followUps = followUps.filter((at) => at > startedAt);

    const beganAt = performance.now();
    const scan = await attempt(() => scanDevices(host, clock));
    if (signal.aborted) return;
    counters?.durations.add((performance.now() - beganAt) / 1_000);
    if (scan instanceof Error) {
      if (counters) counters.failures += 1;
      log.debug({ err: describeError(scan) }, "scan failed");
      const text = `Looking for devices failed: ${describeError(scan)}. What is known stays as it is until it works again.`;
      conditions.raise("scan.failed", "error", text);
      extra = clock.now() + retry.next();
      continue;
    }
    retry.reset();
    conditions.clear("scan.failed");
    const calm =
      sources.length === 0 && last !== undefined && sameDevices(last, scan) && isDeepStrictEqual(last.blindSpots, scan.blindSpots);
    calmScans = calm ? calmScans + 1 : 0;
    last = scan;
    watchStability(scan.devices);
    const { devices, wakeAt } = settle(scan.devices);
    extra = Math.min(watchDrivers(scan.devices) ?? Infinity, wakeAt ?? Infinity);
    await deps.onScan({ ...scan, devices, ...(hintedAt !== undefined && { hintedAt }) });
  }
}

interface Pause {
  readonly hints: Hints;
  readonly clock: Clock;
  readonly milliseconds: number;
}

/** Ends with a hint, after the time, or when the signal aborts. */
async function pause({ hints, clock, milliseconds }: Pause, signal: AbortSignal): Promise<void> {
  using either = linkSignal(signal);
  await Promise.race([hints.wait(either.signal), clock.sleep(milliseconds, either.signal).catch(() => {})]);
  either.abort(new AerialError("internal.abort", "the pause is over"));
}

/** The value, or the error: a failed scan is a result here. */
async function attempt<T>(work: () => Promise<T>): Promise<T | Error> {
  try {
    return await work();
  } catch (error) {
    return error instanceof Error ? error : new AerialError("host.read", "scan failed", { cause: error });
  }
}

function clamp(milliseconds: number, limit: number): number {
  return Math.min(Math.max(milliseconds, 0), limit);
}
