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
export function nameKey(labels: readonly string[]): string {
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

export interface ServiceName {
  /** Lower case: `_hap._tcp`. */
  readonly service?: string;
  /** Plain text as announced: `Living Room 2.0`. */
  readonly instance?: string;
  /** Lower case: `_printer` of `_printer._sub._http._tcp.local`. */
  readonly subtype?: string;
}

/**
 * What a name says by the grammar of DNS-SD (RFC 6763 §4.1, §7): `_hap._tcp.local`, `_x._sub._hap._tcp.local` or
 * `Living Room._hap._tcp.local`, in any domain. Nothing for other names, such as hosts.
 */
export function splitServiceName(name: DnsName): ServiceName {
  const { labels } = name;
  const protocol = findProtocol(labels);
  if (protocol === undefined) return {};
  const service = `${toAsciiLowerCase(labels[protocol - 1] ?? "")}.${toAsciiLowerCase(labels[protocol] ?? "")}`;
  const before = protocol - 1;
  if (before === 0) return { service };
  if (before >= 2 && toAsciiLowerCase(labels[before - 1] ?? "") === "_sub") {
    return { service, subtype: toLabelText(toAsciiLowerCase(labels.slice(0, before - 1).join("."))) };
  }
  return { service, instance: toLabelText(labels.slice(0, before).join(".")) };
}

/** The host of `printer.local`, in lower case and without `.local`; nothing for names that are no host's. */
export function hostOf(name: DnsName): string | undefined {
  const { labels } = name;
  if (labels.length < 2 || toAsciiLowerCase(labels.at(-1) ?? "") !== "local" || findProtocol(labels) !== undefined) return undefined;
  return toLabelText(toAsciiLowerCase(labels.slice(0, -1).join(".")));
}

/** Where `_tcp` or `_udp` is. The last one counts: an instance may be called `_tcp`. */
function findProtocol(labels: readonly string[]): number | undefined {
  for (let index = labels.length - 1; index > 0; index -= 1) {
    const label = labels[index] ?? "";
    if (label.length !== 4 || label.codePointAt(0) !== underscore) continue;
    const lower = toAsciiLowerCase(label);
    if ((lower === "_tcp" || lower === "_udp") && labels[index - 1]?.codePointAt(0) === underscore) return index;
  }
  return undefined;
}

const underscore = 0x5f;
