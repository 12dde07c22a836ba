/** Pods that move with their radio. */
import { createBackoff } from "../../core/backoff.ts";
import type { Conditions } from "../../core/condition.ts";
import { describeError, isAerialError } from "../../core/errors.ts";
import { changeFrom, firstOf, sleepUntil } from "../../core/first-of.ts";
import type { Log } from "../../core/log.ts";
import type { Kube } from "../../kube/kube.ts";
import { createEvictor, type EvictorDependencies, failingFinding, forbiddenFinding } from "./evict-pod.ts";
import { createFindingReport } from "./findings.ts";
import { type LookDependencies, lookForMoves } from "./look-for-moves.ts";
import { createSchedulerGate } from "./scheduler-gate.ts";

export interface FollowDependencies extends Omit<LookDependencies, "evictor" | "gate" | "rules">, Pick<EvictorDependencies, "evicted"> {
  readonly kube: Pick<Kube, "get" | "create">;
  /** This node's name. */
  readonly node: string;
  /** What comes before the slash in resources and annotations: `radio.mi.house`. */
  readonly prefix: string;
  readonly evict: "annotated" | "all" | "none";
  /** How many radios of an extended resource are plugged in here. */
  readonly offered: (resource: string) => number;
  readonly log: Log;
  readonly conditions: Conditions;
}

const codes = ["follow.forbidden", "follow.disruption-budget", "follow.bare", "follow.unrecognizable", "follow.failing"];

/** However often sticks come and go, the API server is asked no more often than this. */
const leastPauseMs = 500;

/**
 * Evicts pods of this node whose radio is plugged into another node, or has been away for too long, until aborted. All that
 * it goes by is read anew at each look, so that nothing is forgotten when it is killed. Asks nothing of anybody while every
 * held radio is there.
 */
export async function runFollow(dependencies: FollowDependencies, signal: AbortSignal): Promise<void> {
  const { snapshots, holders, awaited, node, prefix, evict, clock, log, conditions } = dependencies;
  if (evict === "none") return;
  const look = {
    ...dependencies,
    evictor: createEvictor(dependencies),
    gate: createSchedulerGate(dependencies),
    rules: { node, prefix, evict },
  };
  const report = createFindingReport(conditions, codes);
  const backoff = createBackoff();
  while (!signal.aborted) {
    const snapshot = snapshots.current;
    const held = holders.current;
    const waiting = awaited.current;
    let wakeAt: number;
    let isFailing = false;
    try {
      const seen = await lookForMoves(look, signal);
      ({ wakeAt } = seen);
      report(seen.findings);
      backoff.reset();
    } catch (error) {
      if (signal.aborted) return;
      if (!isAerialError(error)) throw error;
      isFailing = true;
      wakeAt = clock.now() + backoff.next();
      report([error.code === "kube.forbidden" ? forbiddenFinding(error) : failingFinding(error)]);
      log.debug({ err: describeError(error) }, "cannot tell whether pods have to follow their radio");
    }
    const lookedAt = clock.now();
    await firstOf(signal, (wait) => [
      sleepUntil(clock, wakeAt, wait),
      ...(isFailing ? [] : [changeFrom(snapshots, snapshot, wait), changeFrom(holders, held, wait), changeFrom(awaited, waiting, wait)]),
    ]);
    if (wakeAt !== Infinity) await sleepUntil(clock, lookedAt + leastPauseMs, signal).catch(() => {});
  }
}
