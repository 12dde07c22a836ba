/** The inventory as the rest of aerial sees it. */
import type { Watch } from "../core/cell.ts";
import type { HistoryEntry, HistoryExtent, InventoryEvent, Snapshot } from "../core/radio.ts";

export interface HistoryQuery {
  /** Only entries with a greater sequence. */
  readonly after?: number;
  readonly radioId?: string;
  /** At most this many. */
  readonly limit: number;
  /** The newest there are, newest first; else the oldest, oldest first. */
  readonly newest?: true;
}

export interface Inventory extends Watch<Snapshot> {
  /** Names this history among all others: with a sequence it makes a message id that is never used twice. */
  readonly historyId: string;
  /** What `history` can be asked for; changes as soon as entries are safely stored, or the database is replaced. */
  readonly stored: Watch<HistoryExtent>;
  /** The one write door: reduces, stores, then publishes the new snapshot. Throws `inventory.*` for intents that cannot be met. */
  apply(event: InventoryEvent): Snapshot;
  /**
   * What is safely stored; while the disk refuses, newer entries wait and appear here once they are written.
   * Throws `inventory.unusable` when the disk can't be read.
   */
  history(query: HistoryQuery): readonly HistoryEntry[];
  /** The last history sequence a reader has dealt with; 0 at first. Survives restart. */
  cursor(reader: string): number;
  /** Moves a cursor forward, never back and never beyond the newest entry. */
  advanceCursor(reader: string, sequence: number): void;
}
