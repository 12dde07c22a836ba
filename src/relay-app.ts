/** The composition root of `aerial relay run`. */
import type { RelayAlone } from "./cli/command.ts";
import { AerialError } from "./core/errors.ts";

/** Relays until the signal aborts. */
export function runRelayAlone(_deps: RelayAlone, _signal: AbortSignal): Promise<void> {
  return Promise.reject(new AerialError("relay.off", "this build has no relay of its own yet"));
}
