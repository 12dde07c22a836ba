/** What a node's labels and annotations have to be. Pure. */
import { attachmentOf } from "../../core/device.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import { joinLabelTexts, longestLabel, toLabelText } from "./label-text.ts";
import { radiosAnnotation, radiosAnnotationOf } from "./radio-facts.ts";

/** Keys and prefix are valid and not reserved: the configuration has seen to that. */
export interface LabelOptions {
  /** `radio.mi.house`. */
  readonly prefix: string;
  /** Label key → kind of radio, or `*` for any: set to `true` while the node has one. */
  readonly aliases: Readonly<Record<string, string>>;
  /** How long labels outlive an unplugged radio. */
  readonly graceMs: number;
  /** Further labels of a radio (name without prefix → value), as plugins give them. */
  readonly describe?: (radio: Radio) => Readonly<Record<string, string>>;
}

export interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface DesiredMetadata extends Metadata {
  /** When a grace ends and the answer changes although the snapshot does not; milliseconds since the epoch. */
  readonly wakeAt: number | undefined;
}

/**
 * The whole set for a snapshot at `now` (milliseconds since the epoch). A radio counts while it is present, in whatever
 * mode, and for its grace after that; ambiguous and unknown ones are in the annotation only; those on the network are nowhere.
 * Keys come sorted.
 */
export function labelsFor(snapshot: Snapshot, options: LabelOptions, now: number): DesiredMetadata {
  const { prefix, aliases, graceMs, describe } = options;
  const counted: Radio[] = [];
  let wakeAt: number | undefined;
  for (const radio of snapshot.radios.values()) {
    // Labels say what the node has, so that pods go there. What is on the network no node has more than another.
    if (attachmentOf(radio.device) === "network") continue;
    const graceEnds = radio.presence === "present" ? undefined : graceEnd(radio, graceMs);
    if (graceEnds !== undefined && graceEnds <= now) continue;
    counted.push(radio);
    if (graceEnds !== undefined) wakeAt = Math.min(wakeAt ?? graceEnds, graceEnds);
  }
  counted.sort(({ id: a }, { id: b }) => (a < b ? -1 : Number(a > b)));

  const byKind = new Map<string, Radio[]>();
  const labels = new Map<string, string>();
  for (const radio of counted) {
    if (radio.identity.state !== "identified") continue;
    for (const kind of new Set(radio.identity.kinds)) byKind.set(kind, [...(byKind.get(kind) ?? []), radio]);
    for (const [name, value] of Object.entries(describe?.(radio) ?? {})) setOnce(labels, [prefix, name], toLabelText(value));
  }
  for (const [kind, radios] of byKind) {
    const name = toLabelText(kind);
    set(labels, [prefix, name], "true");
    set(labels, [prefix, `${name}.count`], String(radios.length));
    const model = joinLabelTexts(radios.flatMap(({ identity }) => identity.model ?? []));
    if (model !== "") set(labels, [prefix, `${name}.model`], model);
  }
  for (const [key, kind] of Object.entries(aliases)) {
    if (kind === "*" ? byKind.size > 0 : byKind.has(kind)) labels.set(key, "true");
  }

  return {
    labels: sortedRecord(labels),
    annotations: counted.length === 0 ? {} : { [radiosAnnotationOf(prefix)]: radiosAnnotation(counted) },
    wakeAt,
  };
}

/** A date that cannot be read gives no grace: rather a label too few than one for ever. */
function graceEnd({ absentSince }: Radio, graceMs: number): number {
  const since = Date.parse(absentSince ?? "");
  return Number.isNaN(since) ? -Infinity : since + graceMs;
}

function set(labels: Map<string, string>, [prefix, name]: readonly [string, string], value: string): void {
  if (isLabelName(name)) labels.set(`${prefix}/${name}`, value);
}

function setOnce(labels: Map<string, string>, [prefix, text]: readonly [string, string], value: string): void {
  const name = toLabelText(text);
  if (!labels.has(`${prefix}/${name}`)) set(labels, [prefix, name], value);
}

function isLabelName(name: string): boolean {
  return name.length <= longestLabel && /^[A-Za-z0-9]/.test(name);
}

function sortedRecord(entries: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : Number(a > b))));
}
