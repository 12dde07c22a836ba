/** The whole API over an inventory: all that is made up is what the rest of aerial would say. */
import { createApiCounters } from "../../src/api/metrics/api-counters.ts";
import { openApi } from "../../src/api/open-api.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Conditions } from "../../src/core/condition.ts";
import type { Log } from "../../src/core/log.ts";
import type { Inventory } from "../../src/inventory/inventory.ts";

interface LiveServerOptions {
  readonly socketPath: string;
  readonly inventory: Inventory;
  readonly conditions: Conditions;
  readonly clock: Clock;
  readonly log: Log;
}

/** Gives its counters. */
export async function serveLive({ socketPath, inventory, conditions, clock, log }: LiveServerOptions) {
  const counters = createApiCounters();
  await openApi(
    {
      socket: socketPath,
      clock,
      log,
      conditions,
      counters,
      snapshots: inventory,
      stored: inventory.stored,
      history: (query) => inventory.history(query),
      apply: (event) => inventory.apply(event),
      node: () => ({ version: "0", startedAt: new Date(0).toISOString(), kernel: "0", blindSpots: [], cluster: { state: "none" } }),
      readiness: () => ({ ready: true, waitingFor: [] }),
    },
    new AbortController().signal,
  );
  return counters;
}
