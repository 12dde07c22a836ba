/** Changes to packets that know nothing of what is in them. */
import type { Random } from "./random.ts";

/** Bytes at which formats change their minds. */
const telling: readonly [number, ...number[]] = [0, 1, 2, 12, 13, 10, 32, 58, 60, 62, 63, 64, 127, 128, 191, 192, 193, 255];
const longest = 65_507;

/** One change somewhere; `other` is a packet to steal from. */
export function mutateBytes(packet: Buffer, other: Uint8Array, random: Random): Buffer {
  const at = random.below(packet.length + 1);
  const length = Math.min(packet.length - at, 1 + random.below(random.once(4) ? 256 : 8));
  switch (random.below(9)) {
    case 0:
    case 1:
      return change(packet, at, (byte) => byte ^ (1 << random.below(8)));
    case 2:
    case 3:
      return change(packet, at, () => random.pick(telling));
    case 4:
      return change(packet, at, (byte) => byte + random.pick([1, -1]));
    case 5:
      return packet.subarray(0, at);
    case 6:
      return Buffer.concat([packet.subarray(0, at), packet.subarray(at + length)]);
    case 7:
      return Buffer.concat([packet.subarray(0, at), packet.subarray(at, at + length), packet.subarray(at)]).subarray(0, longest);
    default: {
      const from = random.below(other.length + 1);
      return Buffer.concat([packet.subarray(0, at), other.subarray(from, from + 1 + random.below(200)), packet.subarray(at)]).subarray(
        0,
        longest,
      );
    }
  }
}

function change(packet: Buffer, at: number, to: (byte: number) => number): Buffer {
  const copy = Buffer.from(packet);
  if (at < copy.length) copy[at] = to(copy[at] ?? 0);
  return copy;
}

/** Bytes of which nobody has ever thought. */
export function randomBytes(random: Random): Buffer {
  const bytes = Buffer.alloc(random.below(random.once(20) ? 9000 : 200));
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = random.below(256);
  return bytes;
}
