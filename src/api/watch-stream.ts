/** Changes of the inventory as lines of JSON, for as long as somebody reads them. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { RadioList, WatchLine } from "./contract/types.ts";
import type { StreamCounts } from "./metrics/api-counters.ts";
import type { RadioView } from "./radio-view.ts";
import type { ViewedRadios } from "./radio-views.ts";
import { heartbeatMs, readerDeadlineMs, within } from "./stream-reply.ts";

export function toRadioList({ snapshot, view }: ViewedRadios): RadioList {
  return { revision: snapshot.revision, complete: snapshot.complete, radios: [...snapshot.radios.values()].map(view) };
}

/** What a reader who has seen `before` must be told to know `after`; everything when it has seen nothing or the first scan came in between. */
function describeChanges(before: ViewedRadios | undefined, after: ViewedRadios): readonly WatchLine[] {
  if (before === undefined || before.snapshot.complete !== after.snapshot.complete) return [{ type: "snapshot", ...toRadioList(after) }];
  const { revision, radios } = after.snapshot;
  const lines: WatchLine[] = [];
  for (const radio of radios.values()) {
    const known = before.snapshot.radios.get(radio.id);
    const view = after.view(radio);
    if (known === undefined) lines.push({ type: "added", revision, radio: view });
    else if (!looksSame(before.view(known), view)) lines.push({ type: "changed", revision, radio: view });
  }
  for (const radio of before.snapshot.radios.values()) {
    if (!radios.has(radio.id)) lines.push({ type: "removed", revision, radio: before.view(radio) });
  }
  return lines;
}

/** To have been seen again is no change. */
function looksSame(a: RadioView, b: RadioView): boolean {
  return JSON.stringify({ ...a, lastSeen: "" }) === JSON.stringify({ ...b, lastSeen: "" });
}

export interface StreamDependencies {
  readonly views: Watch<ViewedRadios>;
  readonly clock: Clock;
  readonly counts: StreamCounts;
}

/** Writes lines until the reader leaves, is too slow, or the signal aborts; then ends the response. Holds at most one batch of lines for the reader. */
export async function streamChanges(deps: StreamDependencies, response: ServerResponse, signal: AbortSignal): Promise<void> {
  using reader = linkSignal(signal);
  response.once("close", () => reader.abort(undefined));
  const changes = deps.views.changes(reader.signal)[Symbol.asyncIterator]();
  let seen: ViewedRadios | undefined;
  let next = changes.next();
  while (!reader.signal.aborted) {
    const viewed = await within(deps.clock, heartbeatMs, { wait: next, signal: reader.signal });
    if (reader.signal.aborted) break;
    const lines: readonly WatchLine[] =
      viewed === undefined
        ? [{ type: "heartbeat", revision: seen?.snapshot.revision ?? 0 }]
        : viewed.done === true
          ? []
          : describeChanges(seen, viewed.value);
    if (viewed !== undefined) {
      if (viewed.done === true) break;
      seen = viewed.value;
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
