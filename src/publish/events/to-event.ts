/** History entries as Kubernetes Events (events.k8s.io/v1, KEP-383). Pure. */
import { createHash } from "node:crypto";
import { printable } from "../../core/printable.ts";
import type { HistoryEntry } from "../../core/radio.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import { timeOf } from "./plan-events.ts";

export interface EventNode {
  readonly name: string;
  readonly uid: string;
}

/** Events about a Node, which has no namespace, have to be here (apiserver pkg/apis/core/validation/events.go). */
export const eventNamespace = "default";

/** Bytes of `note` (same file, NoteLengthLimit), and characters of `reportingInstance`. */
const longestNote = 1_024;
const longestInstance = 128;

interface Wording {
  readonly type: "Normal" | "Warning";
  readonly action: string;
  readonly reason: string;
}

const wordings: Readonly<Record<HistoryEntry["type"], Wording>> = {
  attached: { type: "Normal", action: "Attach", reason: "RadioAttached" },
  detached: { type: "Warning", action: "Detach", reason: "RadioDetached" },
  reattached: { type: "Normal", action: "Reattach", reason: "RadioReattached" },
  moved: { type: "Normal", action: "Move", reason: "RadioMoved" },
  identified: { type: "Normal", action: "Identify", reason: "RadioIdentified" },
  bootloader: { type: "Normal", action: "ChangeMode", reason: "RadioModeChanged" },
  named: { type: "Normal", action: "Name", reason: "RadioNamed" },
  overridden: { type: "Normal", action: "Override", reason: "RadioOverridden" },
  leased: { type: "Normal", action: "Lease", reason: "RadioLeased" },
  released: { type: "Normal", action: "Release", reason: "RadioReleased" },
  forgotten: { type: "Normal", action: "Forget", reason: "RadioForgotten" },
  "container-restarted": { type: "Normal", action: "RestartContainer", reason: "RadioContainerRestarted" },
  "pod-evicted": { type: "Normal", action: "EvictPod", reason: "RadioPodEvicted" },
};

/** One change. The same entry of the same node always has the same name, so that telling it twice is refused. */
export function toEvent(entry: HistoryEntry, node: EventNode): KubeObject {
  const { kinds, model, port } = entry.details;
  const facts = Object.entries({ id: entry.radioId, kinds, model, port }).flatMap(([key, value]) => (value ? [`${key}: ${value}`] : []));
  return {
    ...envelope(node, [entry.type, entry]),
    ...wordings[entry.type],
    eventTime: microTime(entry),
    note: clipNote(`${entry.text} (${facts.join(", ")})`),
  };
}

/** Changes that were too many to be told one by one, at least one. Named after the first of them. */
export function toFoldedEvent(entries: readonly [HistoryEntry, ...HistoryEntry[]], node: EventNode): KubeObject {
  const [first] = entries;
  const last = entries.at(-1) ?? first;
  const counts = new Map<string, number>();
  for (const { radioId } of entries) counts.set(radioId, (counts.get(radioId) ?? 0) + 1);
  const most = [...counts].sort(([, a], [, b]) => b - a).map(([id, count]) => `${id} ${count}`);
  const [change, radio] = [entries.length === 1 ? "change" : "changes", counts.size === 1 ? "radio" : "radios"];
  return {
    ...envelope(node, ["folded", first]),
    type: "Warning",
    action: "Fold",
    reason: "RadiosUnsteady",
    eventTime: microTime(first),
    // A series has at least two.
    ...(entries.length > 1 && { series: { count: entries.length, lastObservedTime: microTime(last) } }),
    note: clipNote(
      `${entries.length} more ${change} of ${counts.size} ${radio} within a minute, too many to tell one by one: ${most.join(", ")}`,
    ),
  };
}

function envelope({ name, uid }: EventNode, [type, entry]: readonly [string, HistoryEntry]): KubeObject {
  // With the time, since a new database counts from one again.
  const identity = JSON.stringify([name, type, entry.sequence, entry.at, entry.radioId]);
  const hash = createHash("sha256").update(identity).digest("hex").slice(0, 32);
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: `aerial-${hash}`, namespace: eventNamespace },
    regarding: { apiVersion: "v1", kind: "Node", name, uid },
    reportingController: "mi.house/aerial",
    reportingInstance: name.slice(0, longestInstance),
  };
}

/** RFC 3339 with six digits, as MicroTime is written. */
function microTime(entry: HistoryEntry): string {
  return new Date(timeOf(entry)).toISOString().replace("Z", "000Z");
}

function clipNote(text: string): string {
  const bytes = Buffer.from(printable(text.replaceAll(/\s+/g, " ")));
  if (bytes.length <= longestNote) return bytes.toString();
  const ellipsis = "…";
  let end = longestNote - Buffer.byteLength(ellipsis);
  // Not within a character: UTF-8 continuation bytes are 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString() + ellipsis;
}
