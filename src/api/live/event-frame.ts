/** Live events as the bytes that both transports send; each is made once, however many read it. */
import type { HistoryEntry } from "../../core/radio.ts";
import { type Cursor, formatCursor } from "./cursor.ts";

/** What changed, without saying how: whoever shows it loads it again. */
export type HintName = "radios" | "conditions" | "findings" | "relay" | "node" | "pods";

/** Counters that rise with each change. That of radios is the inventory's revision; the others begin anew with the daemon. */
export type Revisions = Readonly<Partial<Record<HintName, number>>>;

/** Why a reader can't go on where it left off. */
export type ResetReason = "other-history" | "ahead" | "expired" | "unreadable";

interface Ready {
  /** The stream goes on after this. */
  readonly from: string;
  /** The last entry there is now. */
  readonly newest: string;
  readonly revisions: Revisions;
}

interface Reset {
  readonly reason: ResetReason;
  /** The stream goes on after this. */
  readonly from: string;
  /** Entries that are no longer kept, where that can be told. */
  readonly missed?: number;
  /** What to do, in a sentence. */
  readonly text: string;
}

/** One event, for each transport. */
export interface EventFrame {
  /** WHATWG HTML §9.2.6. */
  readonly stream: Buffer;
  /** A message of the WebSocket: JSON with the fields `event`, `id` and `data`. */
  readonly message: Buffer;
}

const advice: Record<ResetReason, string> = {
  "other-history":
    "The cursor is of another history: another node, or a database that was replaced. Drop what came before; what is kept here follows.",
  ahead: "The cursor is ahead of this history, so an older copy of the database is in use. Drop what came before; what is kept follows.",
  expired: "Entries after the cursor are no longer kept. Mark a gap; what is kept follows.",
  unreadable: "The cursor was not made here. Drop what came before; what is kept follows.",
};

/** An entry as the API shows it, in lists and live. */
export interface EventView extends HistoryEntry {
  /** Its cursor. */
  readonly id: string;
}

export function toEventView(historyId: string, entry: HistoryEntry): EventView {
  return { id: formatCursor({ historyId, sequence: entry.sequence }), ...entry };
}

export function toHistoryFrame(historyId: string, entry: HistoryEntry): EventFrame {
  const event = toEventView(historyId, entry);
  return toFrame({ event: "history", id: event.id, data: JSON.stringify(event) });
}

export function toReadyFrame(from: Cursor, newest: Cursor, revisions: Revisions): EventFrame {
  const ready: Ready = { from: formatCursor(from), newest: formatCursor(newest), revisions };
  return toFrame({ event: "ready", id: ready.from, data: JSON.stringify(ready) });
}

export function toResetFrame(reason: ResetReason, from: Cursor, missed?: number): EventFrame {
  const reset: Reset = { reason, from: formatCursor(from), ...(missed !== undefined && { missed }), text: advice[reason] };
  return toFrame({ event: "reset", id: reset.from, data: JSON.stringify(reset) });
}

export function toHintFrame(name: HintName, revision: number): EventFrame {
  return toFrame({ event: name, data: JSON.stringify({ revision }) });
}

interface FrameFields {
  readonly event: string;
  readonly id?: string;
  /** JSON, which has no line breaks of its own. */
  readonly data: string;
}

function toFrame({ event, id, data }: FrameFields): EventFrame {
  return {
    stream: Buffer.from(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`),
    message: Buffer.from(`{"event":"${event}",${id === undefined ? "" : `"id":"${id}",`}"data":${data}}`),
  };
}
