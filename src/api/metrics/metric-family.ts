/** What is measured, before it is written down: a family of samples under one name. */
import type { DurationCounts } from "../../core/durations.ts";

export type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Where it is not the family's own: a histogram's `_bucket`, `_sum` and `_count`. */
  readonly metricName?: string;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

interface Named {
  /** Without `aerial_`, unless `process` or `nodejs` begin it; those names are everybody's. */
  readonly name: string;
  readonly help: string;
}

type Row = readonly [labels: Labels, value: number];

export function gauge(named: Named, rows: Iterable<Row>): MetricFamily {
  return family("gauge", named, rows);
}

/** Only ever rises while the process lives. The name ends in `_total`. */
export function counter(named: Named, rows: Iterable<Row>): MetricFamily {
  return family("counter", named, rows);
}

/** Seconds. A row without counts is left out. */
export function histogram(named: Named, rows: Iterable<readonly [labels: Labels, counted: DurationCounts]>): MetricFamily {
  const name = fullName(named.name);
  const samples: Sample[] = [];
  for (const [labels, { bounds, counts, sum }] of rows) {
    let below = 0;
    for (const [index, count] of counts.entries()) {
      below += count;
      const bound = bounds[index];
      samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bound === undefined ? "+Inf" : String(bound) }, value: below });
    }
    samples.push({ metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: below });
  }
  return { name, help: named.help, type: "histogram", samples };
}

function family(type: "counter" | "gauge", { name, help }: Named, rows: Iterable<Row>): MetricFamily {
  return { name: fullName(name), help, type, samples: [...rows].map(([labels, value]) => ({ labels, value })) };
}

function fullName(name: string): string {
  return name.startsWith("process_") || name.startsWith("nodejs_") ? name : `aerial_${name}`;
}
