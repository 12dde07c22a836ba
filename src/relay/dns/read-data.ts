/** What is in the data of the records that discovery is made of. */
import { type DnsMessage, type DnsName, type DnsRecord, recordType } from "./dns-message.ts";
import { toAsciiLowerCase } from "./dns-name.ts";

/** The 4 or 16 bytes of an A or AAAA record, as a view of the packet; nothing for others. */
export function readAddress({ bytes }: DnsMessage, { type, dataStart, end }: DnsRecord): Uint8Array | undefined {
  return type === recordType.A || type === recordType.AAAA ? bytes.subarray(dataStart, end) : undefined;
}

export interface ServiceLocation {
  readonly priority: number;
  readonly weight: number;
  /** 0 says that there is none: the name is only held (RFC 6763 §6, flagship names). */
  readonly port: number;
  readonly host: DnsName;
}

/** The data of an SRV record (RFC 2782); nothing for others. */
export function readService({ bytes }: DnsMessage, { type, dataStart, target }: DnsRecord): ServiceLocation | undefined {
  if (type !== recordType.SRV || target === undefined) return undefined;
  const uint16 = (offset: number): number => ((bytes[dataStart + offset] ?? 0) << 8) | (bytes[dataStart + offset + 1] ?? 0);
  return { priority: uint16(0), weight: uint16(2), port: uint16(4), host: target };
}

/**
 * The pairs of a TXT record by the rules of RFC 6763 §6.4: keys in lower case, the first of equal ones counts, those that are empty or
 * not printable ASCII do not. A key without `=` has an empty value; bytes that are no UTF-8 become U+FFFD.
 */
export function readText({ bytes }: DnsMessage, { type, dataStart, end }: DnsRecord): Readonly<Record<string, string>> {
  if (type !== recordType.TXT) return {};
  const data = Buffer.from(bytes.buffer, bytes.byteOffset + dataStart, end - dataStart);
  const pairs = new Map<string, string>();
  for (let offset = 0; offset < data.length; offset += 1 + (data[offset] ?? 0)) {
    const text = data.subarray(offset + 1, offset + 1 + (data[offset] ?? 0));
    const equals = text.indexOf("=");
    const key = toAsciiLowerCase(text.toString("latin1", 0, equals === -1 ? text.length : equals));
    if (!/^[ -<>-~]+$/.test(key) || pairs.has(key)) continue;
    pairs.set(key, equals === -1 ? "" : text.toString("utf8", equals + 1));
  }
  // Not by assignment, which would take `__proto__` for more than a key.
  return Object.fromEntries(pairs);
}
