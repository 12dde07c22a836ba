/** The live events: who reads them, and what wakes them. */
import type { Watch } from "../../core/cell.ts";
import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { HistoryExtent, Snapshot } from "../../core/radio.ts";
import type { Beginning } from "./cursor.ts";
import { type EventFrame, type HintName, toHintFrame } from "./event-frame.ts";
import { createEventReader, type EventReader, type Outlet } from "./event-reader.ts";
import type { StreamCounts } from "../metrics/api-counters.ts";
import { createHistoryFeed, type HistorySource } from "./history-feed.ts";

export type LiveHints = Readonly<Partial<Record<Exclude<HintName, "radios">, Pick<Watch<unknown>, "changes">>>>;

export interface LiveSources extends HistorySource {
  readonly clock: Clock;
  readonly log: Log;
  readonly stored: Watch<HistoryExtent>;
  readonly snapshots: Watch<Snapshot>;
  /** What else readers are told of when it changes. */
  readonly hints: LiveHints;
}

/** A place among the readers, taken from the first byte of the request to the last of the connection. */
export interface Seat {
  /** Starts to send; `ready` is on its way when this returns. */
  begin(outlet: Outlet, beginning: Beginning | "unreadable"): void;
  /** To be called when the connection is gone. */
  leave(): void;
}

export interface LiveEvents {
  /** Undefined when there are as many readers as there may be. */
  takeSeat(counts: StreamCounts): Seat | undefined;
}

/** Streams of both kinds together: a page, Home Assistant and some scripts for each of a few people. */
export const mostStreams = 256;
/** Between two hints of a kind: a hundred radios that come at once are one hint, or two. */
const hintSpacingMs = 100;
const tickMs = 1_000;
/** Between two lines in the log about a disk that can't be read. */
const failureSpacingMs = 60_000;

/** Follows its sources until the signal aborts; then all streams end. */
export function openLiveEvents(sources: LiveSources, signal: AbortSignal): LiveEvents {
  const { clock, log, stored, snapshots } = sources;
  const readers = new Map<EventReader, StreamCounts>();
  const hints = new Map<HintName, { readonly revision: number; readonly frame: EventFrame }>();
  let seats = 0;
  let failedAt: number | undefined;
  let ticking = false;
  const shared = {
    feed: createHistoryFeed(sources),
    extent: () => stored.current,
    hints,
    onFailure(error: unknown) {
      // All readers fail at once, and come back every few seconds to fail again.
      if (failedAt !== undefined && clock.now() - failedAt < failureSpacingMs) return;
      failedAt = clock.now();
      log.warn({ err: describeError(error) }, "live events could not be read");
    },
  };

  function pumpAll(): void {
    for (const reader of readers.keys()) reader.pump();
  }

  function setHint(name: HintName, revision: number): void {
    hints.set(name, { revision, frame: toHintFrame(name, revision) });
  }

  async function followHistory(): Promise<void> {
    for await (const _extent of stored.changes(signal)) pumpAll();
  }

  async function followHints<T>(name: HintName, watch: Pick<Watch<T>, "changes">, revisionOf?: (value: T) => number): Promise<void> {
    let changes = 0;
    for await (const value of watch.changes(signal)) {
      setHint(name, revisionOf?.(value) ?? changes);
      changes += 1;
      // The first is how things are, not a change.
      if (changes === 1) continue;
      for (const reader of readers.keys()) reader.hint(name);
      pumpAll();
      await clock.sleep(hintSpacingMs, signal).catch(() => {});
    }
  }

  async function tick(): Promise<void> {
    if (ticking) return;
    ticking = true;
    while (readers.size > 0 && !signal.aborted) {
      await clock.sleep(tickMs, signal).catch(() => {});
      for (const [reader, counts] of readers) {
        if (!reader.tick()) continue;
        readers.delete(reader);
        counts.cutOff += 1;
        log.info({ readers: readers.size }, "a reader of live events took nothing and was cut off");
      }
    }
    ticking = false;
  }

  void followHistory();
  void followHints("radios", snapshots, ({ revision }) => revision);
  for (const name of Object.keys(sources.hints) as (keyof LiveHints)[]) {
    const watch = sources.hints[name];
    if (watch !== undefined) void followHints(name, watch);
  }
  signal.addEventListener("abort", () => {
    for (const reader of readers.keys()) reader.end();
    readers.clear();
  });

  return {
    takeSeat(counts) {
      if (seats >= mostStreams || signal.aborted) return undefined;
      seats += 1;
      counts.open += 1;
      let reader: EventReader | undefined;
      let left = false;
      return {
        begin(outlet, beginning) {
          if (signal.aborted) return outlet.end();
          reader = createEventReader(shared, outlet, beginning);
          readers.set(reader, counts);
          void tick();
        },
        leave() {
          if (left) return;
          left = true;
          seats -= 1;
          counts.open -= 1;
          reader?.gone();
          if (reader !== undefined) readers.delete(reader);
        },
      };
    },
  };
}
