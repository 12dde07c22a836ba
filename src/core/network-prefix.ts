/** Addresses and prefixes as people write them. */
import { isIPv4, isIPv6 } from "node:net";

export interface NetworkPrefix {
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  /** Bits, from the left. */
  readonly length: number;
}

/** `192.0.2.7`, `192.0.2.0/24`, `fe80::/10`; undefined for anything else. An address alone is a prefix of all its bits. */
export function parseNetworkPrefix(text: string): NetworkPrefix | undefined {
  const [address = "", written, ...rest] = text.split("/");
  const bytes = toBytes(address);
  if (bytes === undefined || rest.length > 0) return undefined;
  const whole = bytes.length * 8;
  if (written === undefined) return { bytes, length: whole };
  const length = /^[0-9]{1,3}$/.test(written) ? Number(written) : Number.NaN;
  return length <= whole ? { bytes, length } : undefined;
}

function toBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const bytes = new Uint8Array(16);
  const [head = "", tail] = text.split("::");
  bytes.set(words(head), 0);
  if (tail !== undefined) {
    const last = words(tail);
    bytes.set(last, 16 - last.length);
  }
  return bytes;
}

/** Colon-separated 16-bit words, the last of which may be a dotted IPv4 address (RFC 4291 §2.2). */
function words(text: string): number[] {
  return text
    .split(":")
    .filter((word) => word !== "")
    .flatMap((word) => {
      if (word.includes(".")) return word.split(".").map(Number);
      const value = Number.parseInt(word, 16);
      return [value >> 8, value & 0xff];
    });
}
