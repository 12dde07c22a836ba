/** A story played in the guest: `npm run lab -- <name>` runs the one that test/lab/scenarios/<name>.ts exports. */
import type { GuestLab, GuestLabOptions } from "./guest-lab.ts";

export interface Scenario {
  readonly name: string;
  /** One line, for the list of scenarios. */
  readonly summary: string;
  /** The guest it wants. */
  readonly options?: Pick<GuestLabOptions, "udev" | "driversLoaded" | "memoryMib">;
  /** `say` prints a line for who watches. What is left plugged goes with the guest. */
  run(lab: GuestLab, say: (line: string) => void): Promise<void>;
}
