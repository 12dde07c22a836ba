/** Wishes for a scan. What was wished, how often and by whom cannot matter to its result. */
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import { createBackoff } from "../core/backoff.ts";
import { describeError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { HintSource } from "../host/hint-source.ts";

export interface Hints {
  /** Asks for a scan that starts after now. `source` is for the log. */
  give(source: string): void;
  /** Resolves once there is an untaken hint, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
  /** Who has asked since the last time, and when the first of them did. */
  take(): TakenHints;
  /** How often each source has asked since start. */
  readonly given: ReadonlyMap<string, number>;
  /** Whether, as things are, a change cannot go unheard. */
  readonly hearing: boolean;
  /** Says whether `source`, which hears everything there is to hear, does so now. */
  setHearing(source: string, hearing: boolean): void;
}

interface TakenHints {
  readonly sources: readonly string[];
  /** On the clock of `performance.now()`, since wall clocks are set; absent when nobody asked. */
  readonly since?: number;
}

export function createHints(): Hints {
  const asking = new Set<string>();
  const given = new Map<string, number>();
  let since: number | undefined;
  const waiting = new Set<() => void>();
  const hearing = new Set<string>();
  return {
    give(source) {
      asking.add(source);
      given.set(source, (given.get(source) ?? 0) + 1);
      since ??= performance.now();
      for (const wake of waiting) wake();
    },
    wait: (signal) =>
      new Promise((resolve) => {
        if (asking.size > 0 || signal.aborted) return resolve();
        const wake = (): void => {
          waiting.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        waiting.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      }),
    take() {
      const taken = { sources: [...asking], ...(since !== undefined && { since }) };
      asking.clear();
      since = undefined;
      return taken;
    },
    given,
    get hearing() {
      return hearing.size > 0;
    },
    setHearing(source, hears) {
      if (hears) hearing.add(source);
      // A hint, so that whoever waits knows to wait less long.
      else if (hearing.delete(source)) this.give(source);
    },
  };
}

export interface HintSourceDeps {
  readonly hints: Hints;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
}

/**
 * Feeds `hints` from `source` until the signal aborts. A source that fails is started again under backoff; while it
 * cannot hear, the condition `hints.<name>` says so.
 */
export async function runHintSource(deps: HintSourceDeps, source: HintSource, signal: AbortSignal): Promise<void> {
  const { hints, clock, log, conditions } = deps;
  const backoff = createBackoff();
  const code = `hints.${source.name}`;
  const without = "Plugging and unplugging is noticed by the other sources and the timer, which may take longer.";
  const listener = {
    listening(deaf?: string) {
      backoff.reset();
      if (source.hearsAll) hints.setHearing(source.name, deaf === undefined);
      if (deaf === undefined) conditions.clear(code);
      else conditions.raise(code, "warning", `${source.name}: ${deaf}. ${without}`);
      // Whatever happened while nobody listened was missed.
      hints.give(source.name);
    },
    hint: () => hints.give(source.name),
  };
  while (!signal.aborted) {
    try {
      await source.run(listener, signal);
    } catch (error) {
      if (signal.aborted) break;
      log.debug({ source: source.name, err: describeError(error) }, "hint source failed");
      conditions.raise(code, "warning", `${source.name}: ${describeError(error)}. ${without}`);
    }
    hints.setHearing(source.name, false);
    if (!signal.aborted) await clock.sleep(backoff.next(), signal).catch(() => {});
  }
  conditions.clear(code);
}
