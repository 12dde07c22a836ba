/** One reader of the live events: where it is, what is on its way to it, and when it is given up. */
import type { HistoryExtent } from "../../core/radio.ts";
import type { Beginning, Cursor } from "./cursor.ts";
import { type EventFrame, type HintName, type ResetReason, toReadyFrame, toResetFrame } from "./event-frame.ts";
import { beforeOldest, findGap, type HistoryFeed } from "./history-feed.ts";

/** The way out to one reader. */
export interface Outlet {
  /** Sends in order and gives how many bytes; `taken` is called, later, with so many as the kernel has got. */
  send(frames: readonly EventFrame[], taken: (bytes: number) => void): number;
  /** Shows that the connection lives, and finds out whether the other side does. */
  heartbeat(taken: (bytes: number) => void): number;
  /** Ends in good order: aerial stops. */
  end(): void;
  /** Ends at once, with whatever is still on its way. */
  cut(): void;
}

/** What all readers share. */
export interface ReaderSources {
  readonly feed: HistoryFeed;
  readonly extent: () => HistoryExtent;
  readonly hints: ReadonlyMap<HintName, { readonly revision: number; readonly frame: EventFrame }>;
  /** History could not be read. The reader has been let go and comes back with its cursor. */
  readonly onFailure: (error: unknown) => void;
}

export interface EventReader {
  /** Hands on what there is, as far as the reader takes it. */
  pump(): void;
  hint(name: HintName): void;
  /** Called once a second. True when the reader is too slow. */
  tick(): boolean;
  end(): void;
  /** The connection is gone. */
  gone(): void;
}

/** Bytes on their way to a reader beyond which it gets no more until it has taken some. What it lacks stays in the database. */
export const mostQueuedBytes = 64 * 1024;
/** A reader that takes nothing of what is on its way for so long is cut off. */
export const stalledAfterSeconds = 10;
/** After so long without a word a heartbeat is sent. */
export const heartbeatSeconds = 15;

/** Begins with `ready`, and `reset` where the beginning asked for can't be had. */
export function createEventReader(sources: ReaderSources, outlet: Outlet, beginning: Beginning | "unreadable"): EventReader {
  const { feed, extent, hints } = sources;
  let queued = 0;
  let secondsStalled = 0;
  let secondsSilent = 0;
  let ended = false;
  let turning: NodeJS.Immediate | undefined;
  const pending = new Set<HintName>();

  const begun = begin(beginning, extent());
  let place = begun.place;
  const { historyId, newest } = extent();
  const revisions = Object.fromEntries([...hints].map(([name, { revision }]) => [name, revision]));
  send([toReadyFrame(place, { historyId, sequence: newest }, revisions)]);
  if (begun.gap !== undefined) tellReset(begun.gap);
  pump();

  function pump(): void {
    if (ended || turning !== undefined) return;
    try {
      handOn();
    } catch (error) {
      stop();
      outlet.end();
      sources.onFailure(error);
    }
  }

  function handOn(): void {
    while (queued < mostQueuedBytes) {
      const gap = findGap(place, extent());
      if (gap !== undefined) {
        place = beforeOldest(extent());
        tellReset(gap);
      }
      const { frames, after } = feed.read(place);
      if (frames.length === 0) return tellHints();
      place = after;
      send(frames);
      // Somebody else's turn: this may be the first of a hundred readers with ten thousand entries to catch up on.
      if (frames.length > 1 && place.sequence < extent().newest) {
        turning = setImmediate(() => {
          turning = undefined;
          pump();
        });
        return;
      }
    }
  }

  function tellHints(): void {
    const frames = [...pending].flatMap((name) => hints.get(name)?.frame ?? []);
    pending.clear();
    if (frames.length > 0) send(frames);
  }

  function tellReset({ reason, missed }: Gap): void {
    send([toResetFrame(reason, place, missed)]);
  }

  function send(frames: readonly EventFrame[]): void {
    secondsSilent = 0;
    const bytes = outlet.send(frames, taken);
    queued += bytes;
  }

  function taken(bytes: number): void {
    const waited = queued >= mostQueuedBytes;
    queued -= bytes;
    secondsStalled = 0;
    if (waited && queued < mostQueuedBytes) pump();
  }

  function stop(): void {
    ended = true;
    clearImmediate(turning);
  }

  return {
    pump,
    hint(name) {
      pending.add(name);
    },
    tick() {
      if (ended) return false;
      secondsStalled = queued > 0 ? secondsStalled + 1 : 0;
      if (secondsStalled >= stalledAfterSeconds) {
        stop();
        outlet.cut();
        return true;
      }
      secondsSilent += 1;
      if (secondsSilent >= heartbeatSeconds) {
        secondsSilent = 0;
        const bytes = outlet.heartbeat(taken);
        queued += bytes;
      }
      return false;
    },
    end() {
      if (ended) return;
      stop();
      outlet.end();
    },
    gone: stop,
  };
}

interface Gap {
  readonly reason: ResetReason;
  readonly missed?: number;
}

function begin(beginning: Beginning | "unreadable", extent: HistoryExtent): { readonly place: Cursor; readonly gap?: Gap } {
  const { historyId, newest } = extent;
  if (beginning === "now") return { place: { historyId, sequence: newest } };
  if (beginning === "oldest") return { place: beforeOldest(extent) };
  const gap = beginning === "unreadable" ? { reason: beginning } : findGap(beginning, extent);
  if (beginning === "unreadable" || gap !== undefined) return { place: beforeOldest(extent), ...(gap !== undefined && { gap }) };
  return { place: beginning };
}
