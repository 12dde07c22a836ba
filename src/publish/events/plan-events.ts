/** Which changes are told one by one, and which only by their number. Pure: the same history gives the same plan. */
import type { HistoryEntry } from "../../core/radio.ts";

const minuteMs = 60_000;
/** One loose plug says no more in its tenth minute than in its first. */
const mostPerRadio = 4;
const mostPerMinute = 40;

/** Changes that followed each other within one minute of the clock: the unit in which changes are told. */
export interface EventRun {
  /** Oldest first; never empty. */
  readonly entries: readonly HistoryEntry[];
  /** Sequence of the last one. */
  readonly last: number;
  /** Milliseconds since the epoch: the minute it happened in. */
  readonly from: number;
  readonly to: number;
}

/** Cuts a history, oldest first, into runs, as it comes. */
export function* toRuns(history: Iterable<HistoryEntry>): Generator<EventRun> {
  let entries: HistoryEntry[] = [];
  let minute = 0;
  let last = 0;
  const run = (): EventRun => ({ entries, last, from: minute * minuteMs, to: (minute + 1) * minuteMs });
  for (const entry of history) {
    const at = Math.floor(timeOf(entry) / minuteMs);
    if (entries.length > 0 && at !== minute) {
      yield run();
      entries = [];
    }
    minute = at;
    last = entry.sequence;
    entries.push(entry);
  }
  if (entries.length > 0) yield run();
}

export interface EventPlan {
  /** Each gets an Event of its own. */
  readonly single: readonly HistoryEntry[];
  /** All share one Event, once the minute is over. */
  readonly folded: readonly HistoryEntry[];
}

/** The plan for one run. What has come so far keeps its place when more comes. */
export function planRun({ entries }: EventRun): EventPlan {
  const single: HistoryEntry[] = [];
  const folded: HistoryEntry[] = [];
  const told = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    if (!isNews(entry, entries[index - 1])) continue;
    const subject = subjectOf(entry);
    const count = (told.get(subject) ?? 0) + 1;
    told.set(subject, count);
    if (count > mostPerRadio || single.length >= mostPerMinute) folded.push(entry);
    else single.push(entry);
  }
  return { single, folded };
}

/** Leases and names are nothing a cluster has to know. */
const news: ReadonlySet<HistoryEntry["type"]> = new Set([
  "attached",
  "detached",
  "reattached",
  "moved",
  "identified",
  "bootloader",
  "container-restarted",
  "pod-evicted",
]);

/** A plug that is so loose that it is told of no more does not hide what that does to a pod. */
function subjectOf({ type, radioId }: HistoryEntry): string {
  return type === "container-restarted" || type === "pod-evicted" ? `pod of ${radioId}` : radioId;
}

function isNews(entry: HistoryEntry, before: HistoryEntry | undefined): boolean {
  // A radio on the network is nothing that happens to this node: every node that hears it would tell of it.
  if (entry.details["attachment"] === "network") return false;
  // A radio's coming already says what it is.
  const said = entry.type === "identified" && before?.type === "attached" && before.radioId === entry.radioId && before.at === entry.at;
  return news.has(entry.type) && !said;
}

/** Milliseconds since the epoch; an unreadable time counts as long ago. */
export function timeOf({ at }: HistoryEntry): number {
  const time = Date.parse(at);
  return Number.isNaN(time) ? 0 : time;
}
