/** Radios, and what has happened to them. */
import { attachmentOf } from "../../core/device.ts";
import type { HistoryEntry, Radio, Snapshot } from "../../core/radio.ts";
import { counter, gauge, type Labels, type MetricFamily } from "./metric-family.ts";

/** Series of single radios; a node has a dozen. Their number is told beside them whatever it is. */
const mostRadios = 256;

export function inventoryMetrics(snapshot: Snapshot): readonly MetricFamily[] {
  const radios = [...snapshot.radios.values()];
  return [
    gauge(
      {
        name: "radios",
        help: "Radios that aerial knows, by kind, state and attachment. A radio of two kinds counts in both; one that is not identified is of kind ambiguous or unknown.",
      },
      countRows(
        radios.flatMap((radio) => kindsOf(radio).map((kind) => ({ kind, state: stateOf(radio), attachment: attachmentOf(radio.device) }))),
      ),
    ),
    gauge(
      {
        name: "radio_present",
        help: "Whether a radio is there: 1, or 0 while it is remembered but gone. The id of a radio contains its serial number where it has one.",
      },
      radios.slice(0, mostRadios).map((radio) => [radioLabels(radio), radio.presence === "present" ? 1 : 0] as const),
    ),
    gauge({ name: "other_devices", help: "Devices that are there and no radio that aerial knows." }, [[{}, snapshot.others.length]]),
    gauge({ name: "inventory_complete", help: "Whether everything has been looked at since start: 0 until the first whole scan." }, [
      [{}, snapshot.complete ? 1 : 0],
    ]),
    gauge({ name: "inventory_revision", help: "Revision of the inventory. It rises with every change, and is kept across restarts." }, [
      [{}, snapshot.revision],
    ]),
  ];
}

function radioLabels(radio: Radio): Labels {
  const { id, name, identity, device } = radio;
  return { radio: id, name: name ?? "", kind: kindsOf(radio).join(","), model: identity.model ?? "", attachment: attachmentOf(device) };
}

function kindsOf({ identity }: Radio): readonly string[] {
  return identity.state === "identified" ? [...new Set(identity.kinds)] : [identity.state];
}

function stateOf({ presence, mode }: Radio): string {
  return presence === "absent" ? "absent" : mode === "bootloader" ? "bootloader" : "present";
}

/** How many there are of each. */
function countRows(all: readonly Labels[]): readonly (readonly [Labels, number])[] {
  const rows = new Map<string, [Labels, number]>();
  for (const labels of all) {
    const key = JSON.stringify(labels);
    const row = rows.get(key);
    if (row) row[1] += 1;
    else rows.set(key, [labels, 1]);
  }
  return [...rows.values()];
}

export interface StoredHistory {
  /** The sequence of the newest entry that is stored. */
  newest(): number;
  /** Entries after a sequence, oldest first. */
  read(query: { readonly after: number; readonly limit: number }): readonly HistoryEntry[];
}

const changes = [
  "attached",
  "detached",
  "reattached",
  "moved",
  "identified",
  "bootloader",
  "named",
  "overridden",
  "leased",
  "released",
  "forgotten",
  "container-restarted",
  "pod-evicted",
] as const satisfies readonly HistoryEntry["type"][];
const entriesAtOnce = 1_000;

/** Counts what has been stored since it was made, a page at a time whenever somebody asks. */
export function createChangeMetrics(history: StoredHistory): () => MetricFamily {
  const counts = new Map<string, number>(changes.map((type) => [type, 0]));
  let seen = history.newest();
  return () => {
    // A history that was lost begins anew.
    if (history.newest() < seen) seen = 0;
    for (;;) {
      const entries = history.read({ after: seen, limit: entriesAtOnce });
      for (const { type } of entries) counts.set(type, (counts.get(type) ?? 0) + 1);
      seen = entries.at(-1)?.sequence ?? seen;
      if (entries.length < entriesAtOnce) break;
    }
    const named = {
      name: "radio_changes_total",
      help: "Changes of radios that were stored, by type: attached, detached, moved and so on.",
    };
    return counter(
      named,
      [...counts].map(([change, count]) => [{ change }, count] as const),
    );
  };
}
