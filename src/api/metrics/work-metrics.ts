/** What aerial does all day: looking, publishing, telling. */
import type { Condition } from "../../core/condition.ts";
import type { DoctorReport } from "../../core/check.ts";
import type { ChangeLatency } from "../../core/change-latency.ts";
import type { DurationCounts } from "../../core/durations.ts";
import { counter, gauge, histogram, type MetricFamily } from "./metric-family.ts";

/** As `src/scan` counts. */
export interface ScanFigures {
  readonly durations: DurationCounts;
  readonly failures: number;
  /** How often each source has asked for a scan. */
  readonly hints: ReadonlyMap<string, number>;
}

export function scanMetrics({ durations, failures, hints }: ScanFigures): readonly MetricFamily[] {
  return [
    histogram({ name: "scan_duration_seconds", help: "How long it takes to look at all of /sys and /dev once." }, [[{}, durations]]),
    counter({ name: "scan_failures_total", help: "Scans that could not be finished. What was known stays as it was." }, [[{}, failures]]),
    counter(
      { name: "hints_total", help: "Wishes for a scan, by who had them: the kernel's events, inotify and others." },
      [...hints].map(([source, count]) => [{ source }, count] as const),
    ),
  ];
}

export function latencyMetrics({
  attached,
  detached,
  labelled,
}: Pick<ChangeLatency, "attached" | "detached" | "labelled">): readonly MetricFamily[] {
  return [
    histogram(
      {
        name: "change_latency_seconds",
        help: "From the kernel's hint to the snapshot that shows a radio come (attached) or gone (detached).",
      },
      [
        [{ change: "attached" }, attached],
        [{ change: "detached" }, detached],
      ],
    ),
    histogram(
      { name: "label_latency_seconds", help: "From the kernel's hint to the API server's having the labels of a radio that was attached." },
      [[{}, labelled]],
    ),
  ];
}

/** As `src/publish` counts. */
export interface OutputFigures {
  readonly attempts: number;
  readonly failures: number;
  readonly retries: number;
  /** Milliseconds since the epoch. */
  readonly lastSuccessAt?: number;
}

export function outputMetrics(outputs: ReadonlyMap<string, OutputFigures>): readonly MetricFamily[] {
  const rows = (value: (figures: OutputFigures) => number) =>
    [...outputs].map(([output, figures]) => [{ output }, value(figures)] as const);
  return [
    counter(
      {
        name: "output_attempts_total",
        help: "Times that an output (labels, events) was to match the newest snapshot. Most find nothing to write.",
      },
      rows(({ attempts }) => attempts),
    ),
    counter(
      { name: "output_failures_total", help: "Attempts of an output that failed." },
      rows(({ failures }) => failures),
    ),
    counter(
      { name: "output_retries_total", help: "Attempts of an output that followed one that failed." },
      rows(({ retries }) => retries),
    ),
    gauge(
      { name: "output_last_success_timestamp_seconds", help: "When an output last matched the newest snapshot; 0 if it has not yet." },
      rows(({ lastSuccessAt = 0 }) => lastSuccessAt / 1_000),
    ),
  ];
}

/** Codes name ports and links, of which a machine has so many; beyond this only their number is told. */
const mostConditions = 128;
const severities = ["error", "warning", "info"] as const;

export function conditionMetrics(held: ReadonlyMap<string, Condition>): readonly MetricFamily[] {
  const worstFirst = severities.flatMap((severity) => [...held.values()].filter((condition) => condition.severity === severity));
  return [
    gauge(
      { name: "conditions", help: "Conditions that hold now, by severity." },
      severities.map((severity) => [{ severity }, worstFirst.filter((condition) => condition.severity === severity).length] as const),
    ),
    gauge(
      { name: "condition_active", help: "A condition that holds now: 1. The API's list of conditions says what to do about it." },
      worstFirst.slice(0, mostConditions).map(({ code, severity }) => [{ code, severity }, 1] as const),
    ),
  ];
}

const levels = ["fail", "warning", "info"] as const;
const verdicts = ["pass", "fail", "unknown"] as const;
/** The catalogue has some hundred; plugins add theirs. */
const mostChecks = 256;

/** Nothing until the doctor has been asked once. */
export function doctorMetrics(report: DoctorReport | undefined): readonly MetricFamily[] {
  if (report === undefined) return [];
  const { findings, at, durationMs } = report;
  const counts = levels.flatMap((level) =>
    verdicts.map((verdict) => {
      const count = findings.filter((finding) => finding.level === level && finding.verdict === verdict).length;
      return [{ level, verdict }, count] as const;
    }),
  );
  const failed = new Map<string, [{ readonly check: string; readonly level: string }, number]>();
  for (const { id, level, verdict } of findings) {
    const row = failed.get(id) ?? [{ check: id, level }, 0];
    failed.set(id, row);
    if (verdict === "fail") row[1] += 1;
  }
  return [
    gauge({ name: "doctor_findings", help: "Findings of the doctor's last run, by the level of the check and its verdict." }, counts),
    gauge(
      { name: "doctor_failed", help: "How many subjects a check of the doctor's last run found wrong; 0 where it found nothing." },
      [...failed.values()].slice(0, mostChecks),
    ),
    gauge({ name: "doctor_last_run_timestamp_seconds", help: "When the doctor last ran." }, [[{}, Date.parse(at) / 1_000]]),
    gauge({ name: "doctor_last_run_duration_seconds", help: "How long the doctor's last run took." }, [[{}, durationMs / 1_000]]),
  ];
}
