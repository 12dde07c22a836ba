/** What the scanner has done since start. */
import { createDurations, type Durations } from "../core/durations.ts";

export interface ScanCounters {
  /** Of every scan, also of those that failed. */
  readonly durations: Durations;
  failures: number;
}

export function createScanCounters(): ScanCounters {
  return { durations: createDurations(), failures: 0 };
}
