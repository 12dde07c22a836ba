/** Keeps the outside matching the newest snapshot, through one output. */
import { createBackoff } from "../core/backoff.ts";
import type { Cell, Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import { describeError, isAerialError } from "../core/errors.ts";
import { changeFrom, firstOf, sleepUntil } from "../core/first-of.ts";
import type { Log } from "../core/log.ts";
import type { Output } from "../core/output.ts";
import type { Snapshot } from "../core/radio.ts";

/** What an output has done since start. */
export interface OutputCounters {
  readonly attempts: number;
  readonly failures: number;
  /** Attempts that followed a failure. */
  readonly retries: number;
  /** The snapshot that was applied last. */
  readonly revision?: number;
  /** Milliseconds since the epoch. */
  readonly lastSuccessAt?: number;
}

export const noOutputCounters: OutputCounters = { attempts: 0, failures: 0, retries: 0 };

export interface RunOutputDependencies {
  readonly output: Output;
  readonly snapshots: Watch<Snapshot>;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  /** Each change asks for another look although the snapshot is the same: somebody has edited what is ours. */
  readonly nudges?: Watch<unknown>;
  readonly counters?: Cell<OutputCounters>;
}

/** The same snapshot is applied again after this long, which reads and writes nothing where nothing differs. */
const resyncMs = 600_000;
/** An output that asks for the past must not spin. */
const leastPauseMs = 10;
/** Nudges that follow each other faster than this are spread out, lest two programs fight over a label at full speed. */
const calmMs = 60_000;

/**
 * Applies the current snapshot, then the newest after each change, at the time the output asks for, on nudges and
 * every ten minutes. A failure raises `output.<name>.failing` and is retried under backoff with what is newest then.
 */
export async function runOutput(dependencies: RunOutputDependencies, signal: AbortSignal): Promise<void> {
  const { output, snapshots, clock, nudges } = dependencies;
  const report = createReport(dependencies);
  const backoff = createBackoff();
  const nudgeBackoff = createBackoff();
  let nudgedAt = -Infinity;
  let nudgeNotBefore = -Infinity;

  while (!signal.aborted) {
    const snapshot = snapshots.current;
    const nudge = nudges?.current;
    let dueAt: number;
    let retrying = false;
    try {
      const wakeAt = await output.apply(snapshot, signal);
      dueAt = Math.min(Math.max(wakeAt ?? Infinity, clock.now() + leastPauseMs), clock.now() + resyncMs);
      backoff.reset();
      report.succeeded(snapshot);
    } catch (error) {
      if (signal.aborted) return;
      retrying = true;
      dueAt = clock.now() + backoff.next();
      report.failed(error);
    }

    await firstOf(signal, (wait) => [
      sleepUntil(clock, dueAt, wait),
      // A failing output is not tried any sooner for each change it misses.
      ...(retrying ? [] : [changeFrom(snapshots, snapshot, wait)]),
      ...(nudges ? [changeFrom(nudges, nudge, wait).then(() => sleepUntil(clock, nudgeNotBefore, wait))] : []),
    ]);

    if (nudges?.current !== nudge) {
      if (clock.now() - nudgedAt > calmMs) nudgeBackoff.reset();
      nudgedAt = clock.now();
      nudgeNotBefore = nudgedAt + nudgeBackoff.next();
    }
  }
}

interface Report {
  succeeded(snapshot: Snapshot): void;
  failed(error: unknown): void;
}

/** Says what happened where it is looked for: condition, log, counters. */
function createReport({ output, clock, log, conditions, counters }: RunOutputDependencies): Report {
  const code = `output.${output.name}.failing`;
  let text: string | undefined;
  const count = (more: (counted: OutputCounters) => Partial<OutputCounters>): void => {
    if (!counters) return;
    const { attempts, retries } = counters.current;
    const again = text === undefined ? 0 : 1;
    counters.set({ ...counters.current, attempts: attempts + 1, retries: retries + again, ...more(counters.current) });
  };
  return {
    succeeded({ revision }) {
      count(() => ({ lastSuccessAt: clock.now(), revision }));
      if (text === undefined) return;
      text = undefined;
      conditions.clear(code);
      log.info({ output: output.name }, "output works again");
    },
    failed(error) {
      count(({ failures }) => ({ failures: failures + 1 }));
      const known = isAerialError(error);
      const now = known ? `${describeError(error)}; ${error.hint}` : describeError(error);
      if (text === now) return;
      text = now;
      conditions.raise(code, known && error.retryable ? "warning" : "error", now);
      log.warn({ output: output.name, err: describeError(error) }, "output failing");
    },
  };
}
