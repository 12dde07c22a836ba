/**
 * History for readers who are each somewhere else in it. There is no seam between replay and live: everybody asks for what
 * comes after the place they are at, and only where the answer comes from differs. The newest entries are kept ready, made
 * once for all; who is further behind is served from the database, a page at a time.
 */
import type { Watch } from "../../core/cell.ts";
import type { HistoryEntry, HistoryExtent } from "../../core/radio.ts";
import type { Cursor } from "./cursor.ts";
import { type EventFrame, type ResetReason, toHistoryFrame } from "./event-frame.ts";

export interface HistorySource {
  readonly stored: Pick<Watch<HistoryExtent>, "current">;
  /** Entries after a sequence, oldest first. */
  history(query: { readonly after: number; readonly limit: number }): readonly HistoryEntry[];
}

interface FeedPage {
  /** The same array for everybody who gets the same; empty when there is nothing after the place. */
  readonly frames: readonly EventFrame[];
  /** The place after them. */
  readonly after: Cursor;
}

/** Entries in a page from the database: some 60 KiB. */
const pageEntries = 128;
/** Entries kept ready: some 500 KiB. */
const readyEntries = 512;
/** Older pages kept for those who come right behind: a hundred readers that replay the same do so side by side. */
const keptPages = 8;

export interface HistoryFeed {
  /** What comes after a place of this history. Throws `inventory.unusable` when the disk can't be read. */
  read(place: Cursor): FeedPage;
}

/** Whether a reader can go on after `place` without a gap; if not, why, and how many entries it missed. */
export function findGap(place: Cursor, extent: HistoryExtent): { readonly reason: ResetReason; readonly missed?: number } | undefined {
  if (place.historyId !== extent.historyId) return { reason: "other-history" };
  if (place.sequence > extent.newest) return { reason: "ahead" };
  const missed = extent.oldest - 1 - place.sequence;
  return missed > 0 ? { reason: "expired", missed } : undefined;
}

/** The place before everything that is kept. */
export function beforeOldest({ historyId, oldest }: HistoryExtent): Cursor {
  return { historyId, sequence: oldest - 1 };
}

export function createHistoryFeed(source: HistorySource): HistoryFeed {
  let tail = emptyTail(source.stored.current.historyId, source.stored.current.newest);
  const shared = new Map<number, FeedPage>();
  const older = new Map<number, FeedPage>();

  /** Fetches what was stored since, or begins anew where that would be more than is kept ready anyway. */
  function catchUp(): void {
    const { historyId, newest } = source.stored.current;
    if (tail.historyId === historyId && tail.newest === newest) return;
    shared.clear();
    if (tail.historyId !== historyId) older.clear();
    if (tail.historyId !== historyId || newest - tail.newest > readyEntries || newest < tail.newest) {
      tail = emptyTail(historyId, Math.max(0, newest - readyEntries));
    }
    for (const entry of fetch(tail, newest - tail.newest))
      tail.frames.push({ sequence: entry.sequence, frame: toHistoryFrame(historyId, entry) });
    tail.newest = newest;
    const surplus = tail.frames.splice(0, Math.max(0, tail.frames.length - readyEntries));
    tail.after = surplus.at(-1)?.sequence ?? tail.after;
  }

  /** Nothing when the database turns out to be broken and is replaced: then what it gives is of another history. */
  function fetch({ historyId, newest: after }: Pick<Tail, "historyId" | "newest">, limit: number): readonly HistoryEntry[] {
    const entries = source.history({ after, limit });
    return source.stored.current.historyId === historyId ? entries : [];
  }

  function readReady({ historyId, sequence }: Cursor): FeedPage {
    const known = shared.get(sequence);
    if (known !== undefined) return known;
    const from = tail.frames.findIndex((ready) => ready.sequence > sequence);
    const chosen = from < 0 ? [] : tail.frames.slice(from, from + pageEntries);
    const page = { frames: chosen.map(({ frame }) => frame), after: { historyId, sequence: chosen.at(-1)?.sequence ?? sequence } };
    shared.set(sequence, page);
    return page;
  }

  function readOlder({ historyId, sequence }: Cursor): FeedPage {
    const known = older.get(sequence);
    if (known !== undefined) return known;
    const entries = fetch({ historyId, newest: sequence }, pageEntries);
    const last = entries.at(-1)?.sequence ?? sequence;
    const page = { frames: entries.map((entry) => toHistoryFrame(historyId, entry)), after: { historyId, sequence: last } };
    older.set(sequence, page);
    for (const first of older.keys()) if (older.size > keptPages) older.delete(first);
    return page;
  }

  return {
    read(place) {
      catchUp();
      return place.sequence >= tail.after ? readReady(place) : readOlder(place);
    },
  };
}

interface Tail {
  readonly historyId: string;
  /** The frames begin after this. */
  after: number;
  newest: number;
  readonly frames: { readonly sequence: number; readonly frame: EventFrame }[];
}

function emptyTail(historyId: string, after: number): Tail {
  return { historyId, after, newest: after, frames: [] };
}
