/** Traces for whoever follows; a slow reader loses lines rather than anybody's memory. */
import type { RelayTrace } from "../core/relay.ts";

export interface TraceFeed {
  /** Whether anybody follows. */
  readonly followed: boolean;
  give(lines: readonly RelayTrace[]): void;
  follow(signal: AbortSignal): AsyncIterable<RelayTrace>;
}

/** What one reader may be behind. */
const longestQueue = 2_000;

/** `wanted` is told when the first reader comes and the last one goes. */
export function createTraceFeed(wanted: (on: boolean) => void): TraceFeed {
  const readers = new Set<(lines: readonly RelayTrace[]) => void>();
  return {
    get followed() {
      return readers.size > 0;
    },
    give(lines) {
      for (const read of readers) read(lines);
    },
    async *follow(signal) {
      let queue: RelayTrace[] = [];
      let wake = (): void => {};
      const read = (lines: readonly RelayTrace[]): void => {
        queue.push(...lines.slice(0, Math.max(0, longestQueue - queue.length)));
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
          if (queue.length > 0 || signal.aborted) continue;
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
