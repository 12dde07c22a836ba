/** What a DNS name stands for (RFC 6763 §4, §7.1, §9; RFC 6762 §4), read off its key. */

/** Parts of a key, which is in lower case and has `.` and `\` in labels escaped; `toText` makes text of them. */
export interface NameParts {
  readonly kind:
    | /** `_services._dns-sd._udp.local`: all types there are. */ "types"
    | /** A type, or a subtype of it, which stands for its type. */ "type"
    | "instance"
    | "host"
    | /** An address written as a name. */ "reverse"
    | "other";
  /** `_hap._tcp`; none or one. */
  readonly services: readonly string[];
  /** The instance, or the host without `.local`. */
  readonly own?: string;
}

const other: NameParts = { kind: "other", services: [] };
const reverse: NameParts = { kind: "reverse", services: [] };
const types: NameParts = { kind: "types", services: ["_services._dns-sd._udp"] };

const local = ".local";
/** Of `._tcp` and `._udp`. */
const transportLength = 5;

/** `key`: as `DnsName.key`. */
export function toNameParts(key: string): NameParts {
  if (!key.endsWith(local)) return key.endsWith(".arpa") ? reverse : other;
  const end = key.length - local.length;
  const dot = end - transportLength;
  if (!key.startsWith("._tcp", dot) && !key.startsWith("._udp", dot)) return { kind: "host", services: [], own: key.slice(0, end) };
  const start = key.lastIndexOf(".", dot - 1) + 1;
  // A service is called `_something`; what is not, such as `a._tcp.local`, is nothing.
  if (key.charCodeAt(start) !== underscore) return other;
  const service = key.slice(start, end);
  if (start === 0) return { kind: "type", services: [service] };
  const own = key.slice(0, start - 1);
  if (own.endsWith("._sub")) return { kind: "type", services: [service] };
  if (own === "_services" && service === "_dns-sd._udp") return types;
  return { kind: "instance", services: [service], own };
}

const underscore = 0x5f;

/** Part of a key as people read it: bytes of UTF-8 become text, those that are none U+FFFD (RFC 6762 §16). */
export function toText(part: string): string {
  const bytes = part.includes("\\") ? part.replaceAll(/\\(.)/gs, "$1") : part;
  return /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/** 169.254/16, and fe80::/10, which begins with fe8, fe9, fea or feb. */
export function isLinkLocalReverse(key: string): boolean {
  return linkLocalReverse.test(key);
}

const linkLocalReverse = /(?:^|\.)(?:254\.169\.in-addr|[89ab]\.e\.f\.ip6)\.arpa$/;
