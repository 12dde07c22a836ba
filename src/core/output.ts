/** What every publisher is. */
import type { Snapshot } from "./radio.ts";

/**
 * Makes the outside world match a snapshot. `apply` is idempotent, takes whole snapshots, may be given any newer
 * one after any failure, and withdraws nothing while `snapshot.complete` is false.
 * It resolves to the time (milliseconds since the epoch) at which it wants to be called again although nothing
 * changed, such as when a grace ends, or to undefined.
 */
export interface Output {
  readonly name: string;
  apply(snapshot: Snapshot, signal: AbortSignal): Promise<number | undefined>;
}
