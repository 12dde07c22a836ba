/** Takes away pods that a reboot has left behind, once others run in their place. */
import { createBackoff } from "../../core/backoff.ts";
import type { Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { type AerialError, describeError, isAerialError } from "../../core/errors.ts";
import { changeFrom, firstOf, sleepUntil } from "../../core/first-of.ts";
import { createFindingReport, type Finding } from "./findings.ts";
import { type SweepDependencies, sweepGhosts } from "./sweep-ghosts.ts";

export interface GhostPodsDependencies extends SweepDependencies {
  /** Each change says that the kubelet has started anew, or that a resource was registered with it. */
  readonly nudges: Watch<unknown>;
  readonly clock: Clock;
  readonly conditions: Conditions;
}

const codes = ["ghosts.forbidden", "ghosts.bare", "ghosts.failing"];

/** After a start of the kubelet its pods are admitted or not, and replaced, within this time. */
const afterNudgeMs = [5_000, 15_000, 60_000];
const restMs = 600_000;

/**
 * Deletes pods of this node that the kubelet did not admit, if they asked for one of our resources and were replaced, until
 * aborted: at the start, after each nudge, and every ten minutes. Bare ones stay, and are named in a condition.
 */
export async function runGhostPods(dependencies: GhostPodsDependencies, signal: AbortSignal): Promise<void> {
  const { nudges, clock, log, conditions } = dependencies;
  const report = createFindingReport(conditions, codes);
  const backoff = createBackoff(5_000, restMs);
  let nudge = nudges.current;
  let pending = [...afterNudgeMs];
  let isBlind = false;
  while (!signal.aborted) {
    let pauseMs = pending.shift() ?? restMs;
    try {
      const { findings, waiting } = await sweepGhosts(dependencies, signal);
      report(findings);
      isBlind = false;
      if (waiting === 0) backoff.reset();
      else pauseMs = Math.min(pauseMs, backoff.next());
    } catch (error) {
      if (signal.aborted) return;
      if (!isAerialError(error)) throw error;
      // Who has not given the right to look has not asked for this: no condition says so day after day.
      const isForbidden = error.code === "kube.forbidden";
      report(isForbidden ? [] : [failingFinding(error)]);
      if (isForbidden && !isBlind) log.info({ what: "pods that a reboot left behind", why: describeError(error) }, "cannot see");
      else log.debug({ err: describeError(error) }, "cannot look for pods that were not admitted");
      isBlind = isForbidden;
      pauseMs = isForbidden ? restMs : backoff.next();
    }
    const dueAt = clock.now() + pauseMs;
    await firstOf(signal, (wait) => [sleepUntil(clock, dueAt, wait), changeFrom(nudges, nudge, wait)]);
    if (nudges.current === nudge) continue;
    nudge = nudges.current;
    const [first = 0, ...rest] = afterNudgeMs;
    pending = rest;
    backoff.reset();
    await clock.sleep(first, signal).catch(() => {});
  }
}

function failingFinding(error: AerialError): Finding {
  const text = `Pods that a reboot left in UnexpectedAdmissionError stay there: ${describeError(error)}; ${error.hint}.`;
  return { code: "ghosts.failing", severity: "warning", text };
}
