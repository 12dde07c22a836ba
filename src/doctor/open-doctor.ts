/** The doctor: examines the machine when asked, and remembers what it found. */
import type { Check, DoctorReport, Facts, Finding } from "../core/check.ts";
import { describeError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { type FactsDependencies, gatherFacts } from "./gather/gather-facts.ts";
import { type Judgement, runChecks } from "./run-checks.ts";
import { withPossibleChanges } from "./talos/possible-changes.ts";

export interface Doctor {
  /** The last report if it is at most `maxAgeMs` old, else a new one. Who asks meanwhile gets the same. Never rejects. */
  report(maxAgeMs: number): Promise<DoctorReport>;
  /** The last report, if there is one yet. */
  readonly last: DoctorReport | undefined;
}

/** Checks that are put to the facts elsewhere, such as those of a plugin in its thread. */
export interface OutsideChecks {
  /** Their globs. */
  reads(): readonly string[];
  /** Does not reject. */
  judge(facts: Facts, signal: AbortSignal): Promise<Judgement>;
}

export interface DoctorDependencies extends FactsDependencies {
  readonly checks: readonly Check[];
  readonly outside?: OutsideChecks;
  readonly log: Log;
  /** Told of each new report. */
  readonly onReport?: (report: DoctorReport) => void;
}

/** Reads nothing until asked. Examinations end early when the signal aborts. */
export function openDoctor(dependencies: DoctorDependencies, signal: AbortSignal): Doctor {
  const { clock, log, onReport } = dependencies;
  let last: { readonly report: DoctorReport; readonly at: number } | undefined;
  let running: Promise<DoctorReport> | undefined;

  const examine = async (): Promise<DoctorReport> => {
    const report = await examineOnce(dependencies, signal);
    last = { report, at: clock.now() };
    const failed = report.findings.filter(({ verdict }) => verdict === "fail").map(({ id }) => id);
    log.debug({ failed, durationMs: report.durationMs }, "examined");
    onReport?.(report);
    return report;
  };

  return {
    get last() {
      return last?.report;
    },
    report(maxAgeMs) {
      const age = last === undefined ? Infinity : clock.now() - last.at;
      // A clock that was set back must not keep an old report for ever.
      if (last !== undefined && age >= 0 && age <= maxAgeMs && maxAgeMs > 0) return Promise.resolve(last.report);
      running ??= examine().finally(() => (running = undefined));
      return running;
    },
  };
}

async function examineOnce(dependencies: DoctorDependencies, signal: AbortSignal): Promise<DoctorReport> {
  const { checks, outside } = dependencies;
  const started = performance.now();
  const facts = await gatherFacts(dependencies, [...checks.flatMap(({ reads }) => reads), ...(outside?.reads() ?? [])], signal);
  const own = runChecks(checks, facts);
  const others = (await outside?.judge(facts, signal).catch(toNothing)) ?? { findings: [], notApplicable: [] };
  return {
    at: facts.at,
    durationMs: Math.round(performance.now() - started),
    os: facts.os,
    findings: sortFindings([...own.findings, ...others.findings].map((finding) => withPossibleChanges(finding, dependencies.paths))),
    notApplicable: [...own.notApplicable, ...others.notApplicable],
  };
}

function toNothing(error: unknown): Judgement {
  return { findings: [], notApplicable: [{ id: "plugins", title: "The plugins' checks", why: describeError(error) }] };
}

const verdictOrder: Readonly<Record<Finding["verdict"], number>> = { fail: 0, unknown: 1, pass: 2 };
const levelOrder: Readonly<Record<Finding["level"], number>> = { fail: 0, warning: 1, info: 2 };

/** What is wrong first, and of that the worst. */
function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (left, right) => verdictOrder[left.verdict] - verdictOrder[right.verdict] || levelOrder[left.level] - levelOrder[right.level],
  );
}
