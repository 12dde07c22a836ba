/** Names as multicast DNS uses them: ASCII case does not matter, everything else does (RFC 6762 §16). */
import type { DnsName } from "./dns-message.ts";

/** RFC 1035 §2.3.4, in bytes, the root's zero byte included. */
export const nameLimit = 255;

/** `text` with A to Z made small. Bytes of UTF-8 stay as they are, which `toLowerCase` alone would not leave so. */
export function toAsciiLowerCase(text: string): string {
  if (!/[A-Z]/.test(text)) return text;
  return text.replaceAll(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

/** One label (latin1) as it stands in a name's `key`. */
export function labelKey(label: string): string {
  const lower = toAsciiLowerCase(label);
  return /[.\\]/.test(lower) ? lower.replaceAll(/[.\\]/g, (character) => `\\${character}`) : lower;
}

/** The key under which a name of these labels (latin1) is found, whatever its case. */
function nameKey(labels: readonly string[]): string {
  return labels.map(labelKey).join(".");
}

/** A name from its labels as people write them (UTF-8 text). */
export function toName(labels: readonly string[]): DnsName {
  const raw = labels.map((label) => Buffer.from(label, "utf8").toString("latin1"));
  return { labels: raw, key: nameKey(raw) };
}

/** A label as people read it; bytes that are no UTF-8 become U+FFFD. */
export function toLabelText(label: string): string {
  return Buffer.from(label, "latin1").toString("utf8");
}
