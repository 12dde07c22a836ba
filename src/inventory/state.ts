/** What the reducer works on. */
import type { IdentifiedDevice } from "../core/identity.ts";
import type { HistoryEntry } from "../core/radio.ts";
import type { RadioOverride } from "./belief.ts";
import type { Memory } from "./memory.ts";

export interface InventoryState {
  readonly node: string;
  readonly overrides: readonly RadioOverride[];
  /** Days after which an absent radio is forgotten that has no name, no lease and was never identified with certainty. */
  readonly forgetAfterDays: number;
  /** False until the first whole scan since start. */
  readonly complete: boolean;
  /** False after a reboot until the first scan: then new device numbers are no replug. */
  readonly sameBoot: boolean;
  readonly memories: ReadonlyMap<string, Memory>;
  readonly others: readonly IdentifiedDevice[];
  /** When what is present was last seen. */
  readonly lastScanAt?: string;
}

export type HistoryDraft = Omit<HistoryEntry, "sequence">;

export interface Reduction {
  readonly state: InventoryState;
  /** In an order that depends on the content only. */
  readonly changes: readonly HistoryDraft[];
}
