/**
 * Hashes of what others send, under a secret of this process: who knows the code still cannot prepare two contents that
 * are taken for one. Two lanes of 32 bits, each byte by way of a table of random numbers, as tabulation hashing does.
 */

interface Lane {
  /** Odd, so that a step loses nothing. */
  readonly factor: number;
  readonly seed: number;
  /** By byte. */
  readonly exact: Int32Array;
  /** The same with A to Z as a to z. */
  readonly folded: Int32Array;
}

function createLane(): Lane {
  const exact = crypto.getRandomValues(new Int32Array(256));
  const folded = Int32Array.from(exact, (value, byte) => (byte >= 0x41 && byte <= 0x5a ? (exact[byte + 0x20] ?? 0) : value));
  const [factor = 0, seed = 0] = crypto.getRandomValues(new Int32Array(2));
  return { factor: factor | 1, seed, exact, folded };
}

const highLane = createLane();
const lowLane = createLane();

/** A hash that grows by what it is fed. One is made and reset, so that a packet costs no objects. */
export class ContentHash {
  high = 0;
  low = 0;

  reset(): void {
    this.high = highLane.seed;
    this.low = lowLane.seed;
  }

  addBytes(bytes: Uint8Array, start: number, end: number): void {
    const { exact: highTable, factor: highFactor } = highLane;
    const { exact: lowTable, factor: lowFactor } = lowLane;
    let { high, low } = this;
    for (let index = start; index < end; index += 1) {
      const byte = bytes[index] ?? 0;
      high = Math.imul(high ^ (high >>> 15), highFactor) + (highTable[byte] ?? 0);
      low = Math.imul(low ^ (low >>> 15), lowFactor) + (lowTable[byte] ?? 0);
    }
    this.high = high | 0;
    this.low = low | 0;
  }

  /** Latin1 text without regard to ASCII case, and its length, so that no two lists of texts are alike by accident. */
  addFolded(text: string): void {
    const { folded: highTable, factor: highFactor } = highLane;
    const { folded: lowTable, factor: lowFactor } = lowLane;
    let { high, low } = this;
    for (let index = 0; index < text.length; index += 1) {
      const byte = text.charCodeAt(index);
      high = Math.imul(high ^ (high >>> 15), highFactor) + (highTable[byte] ?? 0);
      low = Math.imul(low ^ (low >>> 15), lowFactor) + (lowTable[byte] ?? 0);
    }
    this.high = high | 0;
    this.low = low | 0;
    this.addNumber(text.length);
  }

  /** `addFolded` of those bytes as text. */
  addFoldedBytes(bytes: Uint8Array, start: number, end: number): void {
    const { folded: highTable, factor: highFactor } = highLane;
    const { folded: lowTable, factor: lowFactor } = lowLane;
    let { high, low } = this;
    for (let index = start; index < end; index += 1) {
      const byte = bytes[index] ?? 0;
      high = Math.imul(high ^ (high >>> 15), highFactor) + (highTable[byte] ?? 0);
      low = Math.imul(low ^ (low >>> 15), lowFactor) + (lowTable[byte] ?? 0);
    }
    this.high = high | 0;
    this.low = low | 0;
    this.addNumber(end - start);
  }

  addNumber(value: number): void {
    this.high = Math.imul((this.high ^ (this.high >>> 15)) + value, highLane.factor) ^ (highLane.exact[value & 0xff] ?? 0);
    this.low = Math.imul((this.low ^ (this.low >>> 15)) + value, lowLane.factor) ^ (lowLane.exact[value & 0xff] ?? 0);
  }

  /** Spreads every bit over all, as MurmurHash3's last steps do; then hashes may be added up. */
  finish(): void {
    this.high = avalanche(this.high);
    this.low = avalanche(this.low);
  }

  /** 53 bits. */
  toNumber(): number {
    return (this.high & 0x1f_ffff) * 0x1_0000_0000 + (this.low >>> 0);
  }
}

function avalanche(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
