/** The answer to a scrape. */
import { createMetrics, type MetricSources } from "./collect-metrics.ts";
import type { Exposition } from "./exposition.ts";

/** `accept` is the request's header. */
export type MetricsAnswer = (accept: string | undefined) => Promise<Exposition>;

export function createMetricsAnswer(sources: MetricSources): MetricsAnswer {
  const collect = createMetrics(sources);
  return async (accept) => {
    const { writeExposition } = await import("./exposition.ts");
    return writeExposition(await collect(), accept);
  };
}
