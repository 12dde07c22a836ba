/** A configuration as it was written: text only, every part with the place it came from. The schema says what the text means. */

/** Where a value was written: a place in a file (line and column from 1) or an environment variable. */
export interface Origin {
  readonly source: string;
  readonly line?: number;
  readonly column?: number;
}

export interface RawEntry {
  readonly keyOrigin: Origin;
  readonly value: RawNode;
}

export type RawNode =
  /** A key with nothing behind it: as if it were not there. */
  | { readonly kind: "empty"; readonly origin: Origin }
  | { readonly kind: "text"; readonly text: string; readonly origin: Origin }
  | { readonly kind: "list"; readonly items: readonly RawNode[]; readonly origin: Origin }
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, RawEntry>; readonly origin: Origin };

/** `config.yaml:7:3`, or the variable's name. */
export function formatOrigin(origin: Origin): string {
  return [origin.source, origin.line, origin.column].filter((part) => part !== undefined).join(":");
}

/** Maps are merged key by key; anything else in `over` replaces what `under` has. */
export function mergeRaw(under: RawNode, over: RawNode): RawNode {
  if (over.kind === "empty") return under;
  if (under.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map(under.entries);
  for (const [key, entry] of over.entries) {
    const held = entries.get(key);
    entries.set(key, held === undefined ? entry : { keyOrigin: entry.keyOrigin, value: mergeRaw(held.value, entry.value) });
  }
  return { kind: "map", entries, origin: under.origin };
}

/** Plain values for the schema: strings, arrays and objects without prototype; keys with nothing behind them are left out. */
export function toPlain(node: RawNode): unknown {
  if (node.kind === "text") return node.text;
  if (node.kind === "list") return node.items.map(toPlain);
  if (node.kind === "empty") return undefined;
  const plain = Object.create(null) as Record<string, unknown>;
  for (const [key, { value }] of node.entries) {
    if (value.kind !== "empty") plain[key] = toPlain(value);
  }
  return plain;
}

export interface FoundRaw {
  readonly node: RawNode;
  readonly keyOrigin?: Origin;
  /** False when nothing was written at the path itself: then `node` is the nearest part above it. */
  readonly exact: boolean;
}

/** What was written at `path`, or the nearest part above it that was written at all. */
export function findRaw(root: RawNode, path: readonly PropertyKey[]): FoundRaw {
  let found: FoundRaw = { node: root, exact: true };
  for (const step of path) {
    const next = stepInto(found.node, step);
    if (next === undefined) return { ...found, exact: false };
    found = next;
  }
  return found;
}

function stepInto(node: RawNode, step: PropertyKey): FoundRaw | undefined {
  if (node.kind === "map") {
    const entry = node.entries.get(String(step));
    return entry && { node: entry.value, keyOrigin: entry.keyOrigin, exact: true };
  }
  // A single value stands for a list of one, or for the one key of a map.
  if (node.kind === "text") return { node, exact: true };
  const item = node.kind === "list" ? node.items[Number(step)] : undefined;
  return item && { node: item, exact: true };
}
