/** How long things take, counted in buckets: cheap to add to, read whole whenever somebody asks. */

/** Counted since start. Never reset: a reader takes differences. */
export interface DurationCounts {
  /** Upper bounds in seconds, rising; the last bucket has none. */
  readonly bounds: readonly number[];
  /** Of each bucket alone, one more than there are bounds. */
  readonly counts: readonly number[];
  /** Of all durations, in seconds. */
  readonly sum: number;
}

export interface Durations extends DurationCounts {
  /** Counts one; what is no time that can pass (negative, NaN) is taken for none. */
  add(seconds: number): void;
}

/** From a millisecond to ten seconds: what people notice, and what they wait for. */
const defaultBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export function createDurations(bounds: readonly number[] = defaultBounds): Durations {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  let sum = 0;
  return {
    bounds,
    counts,
    get sum() {
      return sum;
    },
    add(duration) {
      const seconds = duration > 0 ? duration : 0;
      let bucket = 0;
      // A few comparisons are less than a search would cost.
      while (bucket < bounds.length && seconds > (bounds[bucket] ?? Infinity)) bucket += 1;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      sum += seconds;
    },
  };
}
