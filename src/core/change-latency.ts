/** How long it takes until others know of a plug: from the kernel's hint to the snapshot, and to the labels that follow. */
import { createDurations, type DurationCounts } from "./durations.ts";
import type { Snapshot } from "./radio.ts";

export interface ChangeLatency {
  /** From the hint to the snapshot in which a radio is present that was not. */
  readonly attached: DurationCounts;
  /** From the hint to the snapshot in which a radio is absent that was present. */
  readonly detached: DurationCounts;
  /** From the hint to the moment when the labels on the API server are right for a radio that was attached. */
  readonly labelled: DurationCounts;
  /** Compares two snapshots that a scan lies between; `hintedAt` is what it was asked for by, on the clock of `performance.now()`. */
  published(change: { readonly before: Snapshot; readonly after: Snapshot; readonly hintedAt: number | undefined }): void;
  /** Told of the revision whose labels the API server has. */
  accepted(revision: number): void;
}

/** While the API server is away only so many wait to be counted; it is the oldest that tell most. */
const mostWaiting = 256;

export function createChangeLatency(now: () => number = () => performance.now()): ChangeLatency {
  const attached = createDurations();
  const detached = createDurations();
  const labelled = createDurations();
  let waiting: { readonly revision: number; readonly hintedAt: number }[] = [];
  return {
    attached,
    detached,
    labelled,
    published({ before, after, hintedAt }) {
      // The first whole scan finds what has long been there.
      if (hintedAt === undefined || before === after || !before.complete) return;
      const seconds = (now() - hintedAt) / 1_000;
      if (hasMore(before, after)) {
        attached.add(seconds);
        if (waiting.length < mostWaiting) waiting.push({ revision: after.revision, hintedAt });
      }
      if (hasMore(after, before)) detached.add(seconds);
    },
    accepted(revision) {
      const [first] = waiting;
      if (first === undefined || first.revision > revision) return;
      for (const { revision: asked, hintedAt } of waiting) if (asked <= revision) labelled.add((now() - hintedAt) / 1_000);
      waiting = waiting.filter(({ revision: asked }) => asked > revision);
    },
  };
}

/** Whether a radio is present in `b` that is not in `a`. */
function hasMore(a: Snapshot, b: Snapshot): boolean {
  for (const { id, presence } of b.radios.values()) {
    if (presence === "present" && a.radios.get(id)?.presence !== "present") return true;
  }
  return false;
}
