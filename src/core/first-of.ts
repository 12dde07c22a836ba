/** Waiting for whichever comes first: a time, or a change of something watched. */
import type { Watch } from "./cell.ts";
import type { Clock } from "./clock.ts";
import { AerialError } from "./errors.ts";
import { linkSignal } from "./linked-signal.ts";

/** Waits for the first of several waits, then ends the others. Never rejects. */
export async function firstOf(signal: AbortSignal, begin: (wait: AbortSignal) => readonly Promise<void>[]): Promise<void> {
  using wait = linkSignal(signal);
  const waits = begin(wait.signal);
  await Promise.race(waits).catch(() => {});
  wait.abort(new AerialError("internal.abort", "woken by something else"));
  await Promise.allSettled(waits);
}

/** Until `at`, milliseconds since the epoch; `Infinity` is until the signal aborts. Rejects with its reason then. */
export async function sleepUntil(clock: Clock, at: number, signal: AbortSignal): Promise<void> {
  // What no timer of Node can wait for (TIMEOUT_MAX) is waited for in parts.
  let left = at - clock.now();
  for (; left > longestSleepMs; left = at - clock.now()) await clock.sleep(longestSleepMs, signal);
  if (left > 0) await clock.sleep(left, signal);
}

const longestSleepMs = 86_400_000;

/** Until the watched value is another than `known`, or the signal aborts. */
export async function changeFrom(watch: Watch<unknown>, known: unknown, signal: AbortSignal): Promise<void> {
  for await (const value of watch.changes(signal)) if (value !== known) return;
}
