/** The whole truth at one moment, as far as this machine lets us see it. */
import type { Device } from "../core/device.ts";

/** Something this process cannot see, and why. */
export interface BlindSpot {
  readonly what: string;
  readonly why: string;
}

export interface Scan {
  /** When the hint was given that asked for it or that it follows up, on the clock of `performance.now()`. */
  readonly hintedAt?: number;
  /** When it was finished; ISO 8601, UTC. */
  readonly at: string;
  readonly devices: readonly Device[];
  readonly blindSpots: readonly BlindSpot[];
}
