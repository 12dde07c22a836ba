/** Random numbers that a number brings back. */
export interface Random {
  /** 0 up to, and not with, `below`. */
  below(below: number): number;
  /** True once in `times`. */
  once(times: number): boolean;
  pick<T>(values: readonly [T, ...T[]]): T;
}

/** xorshift32 (Marsaglia 2003) behind a step that makes neighbouring seeds strangers. */
export function createRandom(seed: number): Random {
  let state = Math.imul((seed | 0) ^ 0x9e37_79b9, 0x85eb_ca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2_ae35) ^ (state >>> 16) || 1;
  const below = (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  return { below, once: (times) => below(times) === 0, pick: (values) => values[below(values.length)] ?? values[0] };
}
