/** Measurements' part of the composition: who is asked for what at a scrape. */
import { release } from "node:os";
import { join } from "node:path";
import type { ApiCounters } from "./api/metrics/api-counters.ts";
import type { MetricSources } from "./api/metrics/collect-metrics.ts";
import { createMetricsAnswer, type MetricsAnswer } from "./api/metrics/metrics-answer.ts";
import { readVersion } from "./cli/version.ts";
import type { Config } from "./config/schema.ts";
import type { Watch } from "./core/cell.ts";
import type { Conditions } from "./core/condition.ts";
import { countOpenFiles, sizeOfFiles } from "./host/own-files.ts";
import type { Inventory } from "./inventory/inventory.ts";
import type { OutputCounters } from "./publish/run-output.ts";
import type { Relay } from "./relay/run-relay.ts";
import type { Hints } from "./scan/hints.ts";
import type { ScanCounters } from "./scan/scan-counters.ts";

export interface MetricsDependencies extends Pick<MetricSources, "latency" | "doctor" | "handover"> {
  readonly config: Config;
  readonly inventory: Pick<Inventory, "current" | "stored" | "history">;
  readonly conditions: Conditions;
  readonly scanCounters: ScanCounters;
  readonly hints: Hints;
  /** Publishers that run, by name. */
  readonly outputs: ReadonlyMap<string, Watch<OutputCounters>>;
  readonly relay: Pick<Relay, "status"> | undefined;
  readonly api: ApiCounters;
}

export function composeMetrics(dependencies: MetricsDependencies): MetricsAnswer {
  const { config, inventory, conditions, scanCounters, hints, outputs, relay, latency, doctor, handover, api } = dependencies;
  const database = join(config.state.directory, "inventory.sqlite");
  return createMetricsAnswer({
    build: { version: readVersion(), kernel: release() },
    snapshot: () => inventory.current,
    conditions: () => conditions.current,
    history: { newest: () => inventory.stored.current.newest, read: (query) => inventory.history(query) },
    scans: () => ({ ...scanCounters, hints: hints.given }),
    latency,
    outputs: () => new Map([...outputs].map(([name, counters]) => [name, counters.current])),
    ...(relay && { relay: () => relay.status() }),
    ...(doctor && { doctor }),
    ...(handover && { handover }),
    api,
    ownFiles: () => ({ openFiles: countOpenFiles(), databaseBytes: sizeOfFiles([database, `${database}-wal`]) }),
  });
}
