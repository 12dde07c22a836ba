/** IP addresses between bytes and text. */
import { isIP } from "node:net";

/** As people write it: dotted, or as RFC 5952 §4 has it. `bytes`: 4 or 16 in network order. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `::ffff:${bytes.subarray(12).join(".")}`;
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** 4 or 16 bytes in network order; undefined if `text` is no address. A scope (`%eth0`) is not read. */
export function parseAddress(text: string): Uint8Array | undefined {
  const version = isIP(text);
  if (version === 0 || text.includes("%")) return undefined;
  if (version === 4) return Uint8Array.from(text.split("."), Number);
  // An IPv4 tail is two groups.
  const tail = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const pair = (high: string | undefined, low: string | undefined): string => ((Number(high) << 8) | Number(low)).toString(16);
  const plain = tail === null ? text : `${tail[1]}${pair(tail[2], tail[3])}:${pair(tail[4], tail[5])}`;
  const [front = "", back] = plain.split("::");
  const groupsOf = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const head = groupsOf(front);
  const rest = back === undefined ? [] : groupsOf(back);
  const zeros = Array.from({ length: 8 - head.length - rest.length }, () => "0");
  const groups = [...head, ...zeros, ...rest].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  return best;
}
