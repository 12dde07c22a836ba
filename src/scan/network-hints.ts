/** Word for the scanner when there are other radios on the network than before. */
import { isDeepStrictEqual } from "node:util";
import type { Watch } from "../core/cell.ts";
import type { SeenService } from "../core/relay.ts";
import type { Hints } from "./hints.ts";
import { toNetworkDevices } from "./network-devices.ts";

export interface NetworkHintsDependencies {
  readonly services: Watch<readonly SeenService[]>;
  /** The types that plugins ask for now. */
  readonly wanted: () => ReadonlySet<string>;
  readonly hints: Pick<Hints, "give">;
}

/** Gives a hint whenever `toNetworkDevices` would give something else. Resolves when the signal aborts. */
export async function runNetworkHints({ services, wanted, hints }: NetworkHintsDependencies, signal: AbortSignal): Promise<void> {
  let before = toNetworkDevices([], new Set());
  for await (const seen of services.changes(signal)) {
    const now = toNetworkDevices(seen, wanted());
    if (isDeepStrictEqual(now, before)) continue;
    before = now;
    hints.give("relay");
  }
}
