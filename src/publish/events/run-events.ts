/** Kubernetes Events for what happens to radios. */
import { type RunOutputDependencies, runOutput } from "../run-output.ts";
import { type EventsOutputDependencies, createEventsOutput } from "./events-output.ts";

export type RunEventsDependencies = Omit<RunOutputDependencies, "output" | "nudges"> & EventsOutputDependencies;

/** Tells the cluster what history has, with each new snapshot, until aborted. Changes older than an hour are no news. */
export async function runEvents(dependencies: RunEventsDependencies, signal: AbortSignal): Promise<void> {
  await runOutput({ ...dependencies, output: createEventsOutput(dependencies) }, signal);
}
