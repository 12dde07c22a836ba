/** All that is measured, asked for anew with each scrape: parts keep totals, and nothing runs in between. */
import type { DoctorReport } from "../../core/check.ts";
import type { ChangeLatency } from "../../core/change-latency.ts";
import type { Condition } from "../../core/condition.ts";
import type { Snapshot } from "../../core/radio.ts";
import type { RelayStatus } from "../../core/relay.ts";
import type { ApiCounters } from "./api-counters.ts";
import { type HandoverFigures, handoverMetrics } from "./handover-metrics.ts";
import { createChangeMetrics, inventoryMetrics, type StoredHistory } from "./inventory-metrics.ts";
import { gauge, type MetricFamily } from "./metric-family.ts";
import { type OwnFiles, processMetrics } from "./process-metrics.ts";
import { relayMetrics } from "./relay-metrics.ts";
import {
  conditionMetrics,
  doctorMetrics,
  latencyMetrics,
  type OutputFigures,
  outputMetrics,
  type ScanFigures,
  scanMetrics,
} from "./work-metrics.ts";

export interface MetricSources {
  readonly build: { readonly version: string; readonly kernel: string };
  readonly snapshot: () => Snapshot;
  readonly conditions: () => ReadonlyMap<string, Condition>;
  readonly history: StoredHistory;
  readonly scans: () => ScanFigures;
  readonly latency: Pick<ChangeLatency, "attached" | "detached" | "labelled">;
  /** By name; none where there is no cluster. */
  readonly outputs: () => ReadonlyMap<string, OutputFigures>;
  /** Where one is configured. Rejects while its thread is away. */
  readonly relay?: () => Promise<RelayStatus>;
  /** Where radios are handed to pods. */
  readonly handover?: () => HandoverFigures;
  /** The last one; none until the doctor has run. */
  readonly doctor?: () => DoctorReport | undefined;
  readonly api: ApiCounters;
  readonly ownFiles: () => OwnFiles;
}

/** A part that cannot tell is left out, and `aerial_scrape_part_up` says so. */
export function createMetrics(sources: MetricSources): () => Promise<readonly MetricFamily[]> {
  const { build, api, scans, latency, relay, handover } = sources;
  const changes = createChangeMetrics(sources.history);
  const parts: Readonly<Record<string, () => readonly MetricFamily[] | Promise<readonly MetricFamily[]>>> = {
    inventory: () => inventoryMetrics(sources.snapshot()),
    history: () => [changes()],
    conditions: () => conditionMetrics(sources.conditions()),
    scan: () => [...scanMetrics(scans()), ...latencyMetrics(latency)],
    outputs: () => outputMetrics(sources.outputs()),
    ...(relay && { relay: async () => relayMetrics(await relay()) }),
    ...(handover && { handover: () => handoverMetrics(handover(), sources.snapshot()) }),
    doctor: () => doctorMetrics(sources.doctor?.()),
    api: () => api.metrics(),
    process: () => processMetrics(sources.ownFiles()),
  };
  return async () => {
    const { node } = sources.snapshot();
    const families: MetricFamily[] = [
      gauge({ name: "build_info", help: "Always 1: what runs here, in its labels." }, [
        [{ version: build.version, node, kernel: build.kernel, nodejs: process.version }, 1],
      ]),
    ];
    const up: [{ part: string }, number][] = [];
    for (const [part, collect] of Object.entries(parts)) {
      try {
        families.push(...(await collect()));
        up.push([{ part }, 1]);
      } catch {
        // Conditions and the log say why; here it is enough that it can be alerted on.
        up.push([{ part }, 0]);
      }
    }
    families.push(gauge({ name: "scrape_part_up", help: "Whether a part of aerial could tell its figures at this scrape." }, up));
    return families;
  };
}
