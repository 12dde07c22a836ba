/** Changes of the inventory as lines of JSON, for as long as somebody reads them. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { Radio, Snapshot } from "../core/radio.ts";
import type { RadioList, WatchLine } from "./contract/types.ts";
import type { StreamCounts } from "./metrics/api-counters.ts";
import { toRadioView } from "./radio-view.ts";
import { heartbeatMs, readerDeadlineMs, within } from "./stream-reply.ts";

export function toRadioList(snapshot: Snapshot): RadioList {
  return { revision: snapshot.revision, complete: snapshot.complete, radios: [...snapshot.radios.values()].map(toRadioView) };
}

/** What a reader who has seen `before` must be told to know `after`; everything when it has seen nothing or the first scan came in between. */
function describeChanges(before: Snapshot | undefined, after: Snapshot): readonly WatchLine[] {
  if (before === undefined || before.complete !== after.complete) return [{ type: "snapshot", ...toRadioList(after) }];
  const { revision } = after;
  const lines: WatchLine[] = [];
  for (const radio of after.radios.values()) {
    const known = before.radios.get(radio.id);
    if (known === undefined) lines.push({ type: "added", revision, radio: toRadioView(radio) });
    else if (!looksSame(known, radio)) lines.push({ type: "changed", revision, radio: toRadioView(radio) });
  }
  for (const radio of before.radios.values()) {
    if (!after.radios.has(radio.id)) lines.push({ type: "removed", revision, radio: toRadioView(radio) });
  }
  return lines;
}

/** To have been seen again is no change. */
function looksSame(a: Radio, b: Radio): boolean {
  return a === b || JSON.stringify({ ...toRadioView(a), lastSeen: "" }) === JSON.stringify({ ...toRadioView(b), lastSeen: "" });
}

export interface StreamDependencies {
  readonly snapshots: Watch<Snapshot>;
  readonly clock: Clock;
  readonly counts: StreamCounts;
}

/** Writes lines until the reader leaves, is too slow, or the signal aborts; then ends the response. Holds at most one batch of lines for the reader. */
export async function streamChanges(deps: StreamDependencies, response: ServerResponse, signal: AbortSignal): Promise<void> {
  using reader = linkSignal(signal);
  response.once("close", () => reader.abort(undefined));
  const changes = deps.snapshots.changes(reader.signal)[Symbol.asyncIterator]();
  let seen: Snapshot | undefined;
  let next = changes.next();
  while (!reader.signal.aborted) {
    const snapshot = await within(deps.clock, heartbeatMs, { wait: next, signal: reader.signal });
    if (reader.signal.aborted) break;
    const lines: readonly WatchLine[] =
      snapshot === undefined
        ? [{ type: "heartbeat", revision: seen?.revision ?? 0 }]
        : snapshot.done === true
          ? []
          : describeChanges(seen, snapshot.value);
    if (snapshot !== undefined) {
      if (snapshot.done === true) break;
      seen = snapshot.value;
      next = changes.next();
    }
    if (lines.length === 0) continue;
    const taken = response.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    if (taken) continue;
    const drained = once(response, "drain", { signal: reader.signal }).catch(() => []);
    if ((await within(deps.clock, readerDeadlineMs, { wait: drained, signal: reader.signal })) !== undefined) continue;
    if (!reader.signal.aborted) deps.counts.cutOff += 1;
    response.destroy();
  }
  response.end();
}
