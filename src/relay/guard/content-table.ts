/**
 * A table of fixed size over typed arrays: contents by key, each until a time. It never grows and never frees, so a
 * flood costs no memory and no garbage collection.
 *
 * Set-associative: a key may stand in one of eight places. When all eight are taken by what still counts, the one that
 * ends first gives way. What is then lost is the memory of a content before its time: with 65,536 places and 50,000 new
 * contents a second it is still more than a second old, and an echo comes within milliseconds.
 */

const ways = 8;

export interface ContentTable {
  /** The place of the key, or -1 when it is not there or its time is over. */
  find(key: number, now: number): number;
  /** A place for the key, its own if it has one; all its values are 0 but `key`. */
  claim(key: number): number;
  readonly key: Float64Array;
  /** Milliseconds: from then on the place is free. */
  readonly until: Float64Array;
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly source: Float64Array;
  readonly link: Uint32Array;
  /** Where it went. One bit a link, modulo 32. */
  readonly carried: Uint32Array;
  /** Where it went or was heard since its owner last said it. The same bits. */
  readonly reached: Uint32Array;
  readonly budget: Float32Array;
  readonly askers: Uint8Array;
  /** 1: no one said this, we made it. */
  readonly made: Uint8Array;
}

/** `limit` is rounded up to a power of two of at least eight. 59 bytes a place. */
export function createContentTable(limit: number): ContentTable {
  const sets = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, limit / ways))));
  const size = sets * ways;
  const key = new Float64Array(size);
  const until = new Float64Array(size);
  const first = new Float64Array(size);
  const last = new Float64Array(size);
  const source = new Float64Array(size);
  const link = new Uint32Array(size);
  const carried = new Uint32Array(size);
  const reached = new Uint32Array(size);
  const budget = new Float32Array(size);
  const askers = new Uint8Array(size);
  const made = new Uint8Array(size);
  const setOf = (wanted: number): number => (scramble(wanted) & (sets - 1)) * ways;

  return {
    key,
    until,
    first,
    last,
    source,
    link,
    carried,
    reached,
    budget,
    askers,
    made,
    find(wanted, now) {
      const start = setOf(wanted);
      for (let slot = start; slot < start + ways; slot += 1) {
        if (key[slot] === wanted && (until[slot] ?? 0) > now) return slot;
      }
      return -1;
    },
    claim(wanted) {
      const start = setOf(wanted);
      let chosen = start;
      let soonest = Infinity;
      for (let slot = start; slot < start + ways; slot += 1) {
        if (key[slot] === wanted) {
          chosen = slot;
          break;
        }
        const ends = until[slot] ?? 0;
        if (ends < soonest) {
          soonest = ends;
          chosen = slot;
        }
      }
      key[chosen] = wanted;
      until[chosen] = 0;
      first[chosen] = 0;
      last[chosen] = 0;
      source[chosen] = 0;
      link[chosen] = 0;
      carried[chosen] = 0;
      reached[chosen] = 0;
      budget[chosen] = 0;
      askers[chosen] = 0;
      made[chosen] = 0;
      return chosen;
    },
  };
}

/** 32 well mixed bits of a number below 2^53 (the finalizer of MurmurHash3). */
export function scramble(value: number): number {
  let bits = (value | 0) ^ Math.imul((value / 0x1_0000_0000) | 0, 0x9e37_79b1);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** One key below 2^53 of two; negative, so that it is never taken for one that came from outside. */
export function pairKey(left: number, right: number): number {
  const high = scramble(left) ^ Math.imul(scramble(right), 0x2c1b_3c6d);
  const low = Math.imul(scramble(left + 0x5bd1) ^ 0x1656_67b1, 0x297a_2d39) ^ scramble(right + 0x27d4);
  return -1 - ((high & 0x1f_ffff) * 0x1_0000_0000 + (low >>> 0));
}

/** Keys of text as numbers: FNV-1a in two lanes. */
export function toNumberKey(key: string | number): number {
  if (typeof key === "number") return key;
  let high = 0x811c_9dc5;
  let low = 0xcbf2_9ce4;
  for (let index = 0; index < key.length; index += 1) {
    const unit = key.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x0100_0193);
    low = Math.imul(low ^ unit, 0x85eb_ca6b) ^ (low >>> 15);
  }
  return (scramble(high) & 0x1f_ffff) * 0x1_0000_0000 + scramble(low);
}
