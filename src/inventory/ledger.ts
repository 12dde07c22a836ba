/** The database as a book that is never lost: what can't be written now waits, in order, and goes with the next write. */
import { Cell, type Watch } from "../core/cell.ts";
import type { Conditions } from "../core/condition.ts";
import { AerialError, describeError } from "../core/errors.ts";
import type { HistoryEntry, HistoryExtent } from "../core/radio.ts";
import type { HistoryQuery } from "./inventory.ts";
import type { Memory } from "./memory.ts";
import { isDamage, recover, type OpenedStore, type StoreOptions } from "./open-store.ts";
import type { HistoryDraft } from "./state.ts";
import type { Facts } from "./store.ts";

type Memories = ReadonlyMap<string, Memory>;

/** What one applied event changed. */
interface LedgerEntry {
  readonly before: Memories;
  readonly after: Memories;
  readonly history: readonly HistoryDraft[];
  readonly facts: Facts;
}

export interface Ledger extends Disposable {
  /** What is safely stored, from the moment it is. */
  readonly stored: Watch<HistoryExtent>;
  /** Whether something waits to be written. */
  readonly behind: boolean;
  /** Writes the change with all that waits, or lets it wait too. */
  record(entry: LedgerEntry): void;
  /** Tries again to write what waits; true when history entries came to be seen by it. */
  retry(facts: Facts): boolean;
  history(query: HistoryQuery): readonly HistoryEntry[];
  cursor(reader: string): number;
  advanceCursor(reader: string, sequence: number): void;
}

export interface LedgerOptions extends StoreOptions {
  readonly opened: OpenedStore;
  readonly memories: Memories;
  readonly cursors: ReadonlyMap<string, number>;
  readonly facts: Facts;
  readonly conditions: Conditions;
  /** History entries that may wait for the disk; beyond it the oldest are dropped. */
  readonly pendingLimit: number;
}

/** Raises and clears `inventory.reset` and `inventory.not-stored`. */
export function createLedger(options: LedgerOptions): Ledger {
  const { conditions, file, pendingLimit } = options;
  let { store, memoryOnly } = options.opened;
  let { facts, memories } = options;
  const cursors = new Map(options.cursors);
  const touched = new Set<string>();
  const moved = new Set<string>();
  const history: HistoryDraft[] = [];
  let dropped = 0;
  const stored = new Cell(store.extent());
  announce(options.opened);

  function announce(opened: OpenedStore): void {
    if (opened.reset !== undefined) conditions.raise("inventory.reset", "warning", opened.reset);
    if (opened.memoryOnly === undefined) return;
    const text = `Nothing can be written to ${file} (${opened.memoryOnly}): names and history last until aerial ends. Make it writable, then restart aerial.`;
    conditions.raise("inventory.not-stored", "error", text);
  }

  function flush(): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (!isDamage(error)) return wait(error);
      try {
        replaceStore(error);
        write();
        return true;
      } catch (again) {
        return wait(again);
      }
    }
  }

  function write(): void {
    store.write({
      remembered: [...touched].flatMap((id) => memories.get(id) ?? []),
      forgotten: [...touched].filter((id) => !memories.has(id)),
      history,
      cursors: new Map([...moved].map((reader) => [reader, cursors.get(reader) ?? 0])),
      facts,
    });
    const grown = history.length > 0;
    touched.clear();
    moved.clear();
    history.length = 0;
    dropped = 0;
    if (grown) stored.set(store.extent());
    if (memoryOnly === undefined) conditions.clear("inventory.not-stored");
  }

  function wait(error: unknown): false {
    dropped += history.splice(0, Math.max(0, history.length - pendingLimit)).length;
    const lost = dropped === 0 ? "" : ` ${dropped} history entries had to be dropped.`;
    const text = `Changes can't be written to ${file} (${describeError(error)}). They wait in memory and are lost if aerial ends before. Free space or make it writable; aerial then writes them by itself.${lost}`;
    conditions.raise("inventory.not-stored", "error", text);
    return false;
  }

  /** The file went bad while we had it open; what is in memory is the best copy there is. */
  function replaceStore(error: unknown): void {
    store.close();
    const opened = recover(options, describeError(error), [...memories.values()]);
    ({ store, memoryOnly } = opened);
    stored.set(store.extent());
    for (const id of memories.keys()) touched.add(id);
    for (const reader of cursors.keys()) {
      cursors.set(reader, 0);
      moved.add(reader);
    }
    announce(opened);
  }

  return {
    stored,
    get behind() {
      return touched.size + history.length + moved.size > 0;
    },
    record(entry) {
      ({ facts, after: memories } = entry);
      for (const [id, memory] of entry.after) if (entry.before.get(id) !== memory) touched.add(id);
      for (const id of entry.before.keys()) if (!entry.after.has(id)) touched.add(id);
      history.push(...entry.history);
      flush();
    },
    retry(now) {
      facts = now;
      const unseen = history.length > 0;
      return flush() && unseen;
    },
    history(query) {
      try {
        return store.history(query);
      } catch (error) {
        if (!isDamage(error)) throw new AerialError("inventory.unusable", `history can't be read from ${file}`, { cause: error });
        replaceStore(error);
        return store.history(query);
      }
    },
    cursor(reader) {
      const known = cursors.get(reader);
      if (known !== undefined) return known;
      // From now on history is kept for this reader.
      cursors.set(reader, 0);
      moved.add(reader);
      return 0;
    },
    advanceCursor(reader, sequence) {
      const target = Math.min(sequence, stored.current.newest);
      if (target <= (cursors.get(reader) ?? -1)) return;
      cursors.set(reader, target);
      moved.add(reader);
      flush();
    },
    [Symbol.dispose]: () => store.close(),
  };
}
