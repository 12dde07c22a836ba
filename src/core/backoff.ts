/** Retry delays. */

export interface Backoff {
  /** Milliseconds to wait before the next attempt. */
  next(): number;
  reset(): void;
}

/** Exponential with full jitter between half and the whole of the step, from `firstMs` doubling to `limitMs`. */
export function createBackoff(firstMs = 1_000, limitMs = 60_000, random: () => number = Math.random): Backoff {
  let step = firstMs;
  return {
    next() {
      const delay = step / 2 + random() * (step / 2);
      step = Math.min(step * 2, limitMs);
      return delay;
    },
    reset() {
      step = firstMs;
    },
  };
}
