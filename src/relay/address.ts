/** The few questions the relay has about addresses as bytes. */

let last = new Uint8Array(0);
let lastKey = "";

/** Bytes as a string that can be a Map's key. Asked several times for one packet, so the last answer is kept. */
export function addressKey(bytes: Uint8Array): string {
  if (isLast(bytes)) return lastKey;
  last = new Uint8Array(bytes);
  lastKey = toKey(bytes);
  return lastKey;
}

function isLast(bytes: Uint8Array): boolean {
  if (bytes.length !== last.length) return false;
  for (let index = 0; index < bytes.length; index += 1) if (bytes[index] !== last[index]) return false;
  return true;
}

function toKey(bytes: Uint8Array): string {
  return String.fromCharCode.apply(undefined, bytes as unknown as number[]);
}

/** Whether `bytes` lies in the prefix. */
export function inPrefix(bytes: Uint8Array, prefix: Uint8Array, length: number): boolean {
  if (bytes.length !== prefix.length) return false;
  const whole = length >> 3;
  for (let index = 0; index < whole; index += 1) if (bytes[index] !== prefix[index]) return false;
  const rest = length & 7;
  return rest === 0 || ((bytes[whole] ?? 0) ^ (prefix[whole] ?? 0)) >> (8 - rest) === 0;
}

/** 169.254/16 (RFC 3927) and fe80::/10 (RFC 4291 §2.5.6). */
function isLinkLocal(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return bytes[0] === 169 && bytes[1] === 254;
  return bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

interface Prefix {
  readonly bytes: Uint8Array;
  readonly prefixLength: number;
}

/**
 * Whether a source is on a link with these addresses (RFC 6762 §11). Single addresses (/32, /128) say nothing of neighbours,
 * and a link-local prefix, which every link has, nothing of those with other addresses: where there are only such, every
 * source is taken. From afar then come at most what a multicast router lets through to a wider group than the link's, and
 * no answers by unicast to a link-local address, since no router forwards those (RFC 4291 §2.5.6, RFC 3927 §7).
 */
export function isOnLink(source: Uint8Array, addresses: readonly Prefix[]): boolean {
  if (isLinkLocal(source)) return true;
  const whole = source.length * 8;
  let tells = false;
  for (const { bytes, prefixLength } of addresses) {
    if (bytes.length !== source.length || prefixLength >= whole) continue;
    tells ||= !isLinkLocal(bytes);
    if (inPrefix(source, bytes, prefixLength)) return true;
  }
  return !tells && addresses.some(({ bytes }) => bytes.length === source.length);
}
