/** Waiting for whatever happens first. */
import type { Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import { AerialError } from "../../core/errors.ts";
import { linkSignal } from "../../core/linked-signal.ts";

interface Change {
  readonly watch: Watch<unknown>;
  /** What of it is known already. */
  readonly known: unknown;
}

/** Longer waits are cut into pieces: timers of Node end at 24 days. */
const longestMs = 3_600_000;

/**
 * Resolves when one of the watches has another value than is known, at `until` (milliseconds since the epoch), after an hour
 * at most, or when the signal aborts. Never rejects.
 */
export async function awaitChange(
  changes: readonly Change[],
  { clock, until }: { readonly clock: Clock; readonly until: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  using wait = linkSignal(signal);
  const waitMs = Math.min(Math.max(0, (until ?? Infinity) - clock.now()), longestMs);
  const waits = [...changes.map((change) => changeOf(change, wait.signal)), clock.sleep(waitMs, wait.signal)];
  await Promise.race(waits).catch(() => {});
  wait.abort(new AerialError("internal.abort", "woken by something else"));
  await Promise.allSettled(waits);
}

async function changeOf({ watch, known }: Change, signal: AbortSignal): Promise<void> {
  for await (const value of watch.changes(signal)) if (value !== known) return;
}
