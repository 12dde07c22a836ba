/** Node labels, kept right for as long as aerial runs and left standing when it stops. */
import { AerialError } from "../../core/errors.ts";
import { linkSignal } from "../../core/linked-signal.ts";
import type { Kube } from "../../kube/kube.ts";
import { type RunOutputDependencies, runOutput } from "../run-output.ts";
import { type LabelsOutputDependencies, createLabelsOutput } from "./labels-output.ts";
import { watchNode } from "./watch-node.ts";

export interface RunLabelsDependencies extends Omit<RunOutputDependencies, "output" | "nudges">, LabelsOutputDependencies {
  readonly kube: Pick<Kube, "get" | "apply" | "watch">;
}

/** Publishes every snapshot as labels and heals edits by others, until aborted. */
export async function runLabels(dependencies: RunLabelsDependencies, signal: AbortSignal): Promise<void> {
  const output = createLabelsOutput(dependencies);
  using both = linkSignal(signal);
  try {
    await Promise.all([
      runOutput({ ...dependencies, output, nudges: output.nudges }, both.signal),
      watchNode({ ...dependencies, seen: output.seen }, both.signal),
    ]);
  } finally {
    both.abort(new AerialError("internal.abort", "labels are stopping"));
  }
}
