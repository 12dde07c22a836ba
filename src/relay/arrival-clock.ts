/** When packets came, on a clock that only goes forward: the kernel tells it by the wall clock, which may be set at any time. */

interface ArrivalClock {
  /** Compares the two clocks; to be called in each turn. */
  compare(): void;
  /**
   * Monotonic milliseconds of a packet's arrival by the wall clock. Never later than now. What seems to have waited longer
   * than any packet does came just now, by a wall clock that was set meanwhile.
   */
  toMonotonic(arrivedAt: number): number;
}

interface ClockPair {
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly monotonic: () => number;
}

/** Longer than any packet waits for the relay's thread, which sleeps only while there is none. */
const longestWaitMs = 1_000;
/** The wall clock is read in whole milliseconds. */
const resolutionMs = 1;

export function createArrivalClock({ wall, monotonic }: ClockPair): ArrivalClock {
  let epoch = 0;
  const compare = (): void => {
    epoch = wall() - monotonic();
  };
  compare();
  return {
    compare,
    toMonotonic(arrivedAt) {
      const now = monotonic();
      const was = arrivedAt - epoch;
      if (was > now + resolutionMs || was < now - longestWaitMs) compare();
      return Math.min(now, Math.max(arrivedAt - epoch, now - longestWaitMs));
    },
  };
}
