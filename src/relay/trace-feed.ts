/** Traces for whoever follows; a slow reader loses lines rather than anybody's memory. */
import type { RelayTrace } from "../core/relay.ts";

export interface TraceFeed {
  /** Whether anybody follows. */
  readonly followed: boolean;
  /** `lost`: how many more there were. */
  give(lines: readonly RelayTrace[], lost: number): void;
  /** `lost` in between: lines that this reader, or nobody, could be given. */
  follow(signal: AbortSignal): AsyncIterable<RelayTrace | { readonly lost: number }>;
}

/** What one reader may be behind. */
const longestQueue = 2_000;

/** `wanted` is told when the first reader comes and the last one goes. */
export function createTraceFeed(wanted: (on: boolean) => void): TraceFeed {
  const readers = new Set<(lines: readonly RelayTrace[], lost: number) => void>();
  return {
    get followed() {
      return readers.size > 0;
    },
    give(lines, lost) {
      for (const read of readers) read(lines, lost);
    },
    async *follow(signal) {
      let queue: RelayTrace[] = [];
      let wake = (): void => {};
      let lost = 0;
      const read = (lines: readonly RelayTrace[], more: number): void => {
        const taken = lines.slice(0, Math.max(0, longestQueue - queue.length));
        queue.push(...taken);
        lost += lines.length - taken.length + more;
        wake();
      };
      const stop = (): void => wake();
      readers.add(read);
      signal.addEventListener("abort", stop, { once: true });
      if (readers.size === 1) wanted(true);
      try {
        while (!signal.aborted) {
          const lines = queue;
          queue = [];
          yield* lines;
          if (lost > 0) {
            const missed = lost;
            lost = 0;
            yield { lost: missed };
          }
          if (queue.length > 0 || lost > 0 || signal.aborted) continue;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        readers.delete(read);
        signal.removeEventListener("abort", stop);
        if (readers.size === 0) wanted(false);
      }
    },
  };
}
