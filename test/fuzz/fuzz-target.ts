/** What a parser must do with any bytes whatever. */
import type { Random } from "./random.ts";

export interface FuzzTarget {
  readonly name: string;
  /** Packets to begin with. */
  readonly corpus: readonly Uint8Array[];
  /** Changes a packet where it hurts. Changes that need no knowledge of the format are made by others. */
  mutate(packet: Buffer, random: Random): Buffer;
  /**
   * Reads the packet and does with it what the relay does. Throws, with what went wrong, if that breaks a promise. `random` decides what
   * the relay's rules would. Says whether the packet was taken.
   */
  check(packet: Uint8Array, random: Random, clock: WorkClock): boolean;
}

/** Time that our own code took, without that of the judges. */
export interface WorkClock {
  readonly spentMs: number;
  measure<T>(work: () => T): T;
}

export function createWorkClock(): WorkClock & { reset(): void } {
  let spentMs = 0;
  return {
    get spentMs() {
      return spentMs;
    },
    reset() {
      spentMs = 0;
    },
    measure(work) {
      const begunMs = performance.now();
      try {
        return work();
      } finally {
        spentMs += performance.now() - begunMs;
      }
    },
  };
}
