/** Whether a message gives an address as some host's. */
import { type DnsMessage, recordType } from "../dns/dns-message.ts";

/** `address`: 4 or 16 bytes. */
export function tellsAddress({ records, bytes }: DnsMessage, address: Uint8Array): boolean {
  const wanted = address.length === 4 ? recordType.A : recordType.AAAA;
  return records.some(
    ({ type, dataStart, end }) =>
      type === wanted && end - dataStart === address.length && address.every((byte, index) => byte === bytes[dataStart + index]),
  );
}
