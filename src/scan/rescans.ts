/** Those who wait for a scan of their own. */
import { AerialError } from "../core/errors.ts";
import type { Hints } from "./hints.ts";
import type { Scan } from "./scan.ts";

export interface Rescans {
  /**
   * Resolves when a whole scan that began after the call has been published. Rejects with `scan.late` when none is within the
   * deadline, and when the signal aborts.
   */
  ask(signal: AbortSignal): Promise<void>;
  /** To be called when what a scan found has been published. */
  published(scan: Pick<Scan, "hintedAt">): void;
}

interface Waiting {
  readonly askedAt: number;
  /** Scans published since. */
  published: number;
  readonly resolve: () => void;
}

/** A scan takes tens of milliseconds; one that fails is tried again under backoff. */
const deadlineMs = 15_000;

export function createRescans(hints: Pick<Hints, "give">): Rescans {
  const waiting = new Set<Waiting>();
  return {
    ask: (signal) =>
      new Promise((resolve, reject) => {
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
        const late = (): void => {
          waiting.delete(asking);
          reject(new AerialError("scan.late", `no scan has been finished within ${deadlineMs / 1_000} s`));
        };
        const asking: Waiting = {
          askedAt: performance.now(),
          published: 0,
          resolve() {
            waiting.delete(asking);
            deadline.removeEventListener("abort", late);
            resolve();
          },
        };
        waiting.add(asking);
        deadline.addEventListener("abort", late, { once: true });
        hints.give("people");
      }),
    published({ hintedAt }) {
      for (const asking of waiting) {
        asking.published += 1;
        // There is never more than one scan at a time: the second since was begun since.
        if (asking.published > 1 || (hintedAt !== undefined && hintedAt >= asking.askedAt)) asking.resolve();
      }
    },
  };
}
