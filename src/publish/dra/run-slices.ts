/** ResourceSlices, kept right for as long as aerial runs and left standing when it stops. */
import { Cell, type Watch } from "../../core/cell.ts";
import { AerialError } from "../../core/errors.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import type { Snapshot } from "../../core/radio.ts";
import type { Kube } from "../../kube/kube.ts";
import { type RunOutputDependencies, runOutput } from "../run-output.ts";
import { type SlicesOutputDependencies, createSlicesOutput } from "./slices-output.ts";
import { watchSlices } from "./watch-slices.ts";

export interface RunSlicesDependencies extends Omit<RunOutputDependencies, "output" | "nudges">, SlicesOutputDependencies {
  readonly kube: Pick<Kube, "get" | "list" | "create" | "replace" | "remove" | "watch">;
  /** What else decides, such as which radios are claimed: each change asks for another look. */
  readonly inputs: readonly Watch<unknown>[];
}

/** Whoever removes them again and again is answered at this pace. */
const leastWipeMs = 1_000;

/** Publishes every snapshot, heals edits by others, and is back at once when the kubelet has removed all; until aborted. */
export async function runSlices(dependencies: RunSlicesDependencies, signal: AbortSignal): Promise<void> {
  const { snapshots, inputs, clock } = dependencies;
  const output = createSlicesOutput(dependencies);
  const looks = new Cell<Snapshot>(snapshots.current);
  using all = linkSignal(signal);
  const look = (): void => looks.set({ ...snapshots.current });
  const follow = async (watch: Watch<unknown>, paceMs = 0): Promise<void> => {
    const first = watch.current;
    for await (const value of watch.changes(all.signal)) {
      if (value === first && paceMs > 0) continue;
      look();
      if (paceMs > 0) await clock.sleep(paceMs, all.signal).catch(() => {});
    }
  };
  try {
    await Promise.all([
      runOutput({ ...dependencies, output, snapshots: looks, nudges: output.nudges }, all.signal),
      watchSlices({ ...dependencies, output }, all.signal),
      follow(snapshots),
      ...inputs.map((input) => follow(input)),
      follow(output.wiped, leastWipeMs),
    ]);
  } finally {
    all.abort(new AerialError("internal.abort", "resource slices are stopping"));
  }
}
