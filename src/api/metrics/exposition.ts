/** Families written down as Prometheus reads them. Loaded with the first scrape: who is never scraped has no use for it. */
import { type Metric, Registry } from "@prometheus-io/client";
import type { MetricFamily } from "./metric-family.ts";

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** In the format that `accept` prefers: what Prometheus has always read, unless OpenMetrics is named. */
export async function writeExposition(families: readonly MetricFamily[], accept: string | undefined): Promise<Exposition> {
  const contentType = prefersOpenMetrics(accept) ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
  const registry = new Registry(contentType);
  for (const family of families) {
    if (family.samples.length > 0) registry.registerMetric(toMetric(family, contentType === Registry.OPENMETRICS_CONTENT_TYPE));
  }
  return { contentType, text: await registry.metrics() };
}

/**
 * As the library's registry takes metrics from elsewhere (`Registry.aggregate` does the same). Its own counters and
 * histograms can only be added to, while here the parts count and are asked for their totals.
 */
function toMetric({ name, help, type, samples }: MetricFamily, open: boolean): Metric<string> {
  // OpenMetrics names a counter's family without the suffix that its samples have (OpenMetrics 1.0, "Counter").
  const told = open && type === "counter" ? name.replace(/_total$/, "") : name;
  const values = samples.map(({ labels, ...rest }) => ({ labels: safeLabels(labels), ...rest }));
  const metric = { name: told, help, type, get: () => Promise.resolve({ name: told, help, type, values }) };
  return metric as unknown as Metric<string>;
}

/** Weighs as RFC 9110 §12.4.2 has it: the greater `q` wins; a type that is named goes before one that is not. */
function prefersOpenMetrics(accept: string | undefined): boolean {
  let open = 0;
  let plain = 0;
  for (const part of (accept ?? "").split(",")) {
    const [range = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    const weight = weightOf(parameters);
    if (range === "application/openmetrics-text") open = Math.max(open, weight);
    else if (range === "text/plain") plain = Math.max(plain, weight);
  }
  return open > 0 && open >= plain;
}

function weightOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith("q="));
  const weight = Number(given?.slice(2) ?? 1);
  return weight >= 0 && weight <= 1 ? weight : 0;
}

/** Lone surrogates are no UTF-8, which both formats are in; the library writes the rest as it must. */
function safeLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, value.toWellFormed()]));
}
