/**
 * An aerial of which only the scans are made up: the inventory, its database and the API are the real ones. Arguments: state
 * directory, entries to reach, entries a second (0: as fast as the disk allows), entries kept. Tells its parent its newest
 * entry every 100 ms, and everything at `done`; answers `tell` at any time.
 */
import "../../src/small-heap.ts";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock as clock } from "../../src/core/clock.ts";
import { createConditions } from "../../src/core/condition.ts";
import { silentLog as log } from "../../src/core/log.ts";
import { openInventory } from "../../src/inventory/open-inventory.ts";
import { sighted, sonoff } from "../fixtures/sightings.ts";
import { serveLive } from "./live-server.ts";

export interface DaemonWord {
  readonly newest: number;
  readonly done: boolean;
  readonly residentBytes: number;
  readonly streams: number;
  readonly cutOff: number;
}

const [directory = "", target = "0", perSecond = "0", kept = "0"] = process.argv.slice(2);
const conditions = createConditions(clock);
const inventory = await openInventory({
  file: join(directory, "inventory.sqlite"),
  node: "n1",
  bootId: "boot",
  clock,
  log,
  conditions,
  ...(Number(kept) > 0 && { historyLimits: { entries: Number(kept), days: 90, hardEntries: Number(kept) } }),
});
const counters = await serveLive({ socketPath: join(directory, "api.sock"), inventory, conditions, clock, log });

const kinds = ["streamEvents", "followEvents"] as const;

const newest = (): number => inventory.stored.current.newest;
const tell = (): void => {
  const word: DaemonWord = {
    newest: newest(),
    done: newest() >= Number(target),
    residentBytes: process.memoryUsage.rss(),
    streams: kinds.reduce((sum, kind) => sum + counters.stream(kind).open, 0),
    cutOff: kinds.reduce((sum, kind) => sum + counters.stream(kind).cutOff, 0),
  };
  process.send?.(word);
};
process.on("message", tell);
process.on("disconnect", () => process.exit(0));
setInterval(tell, 100);

// Each turn some sticks are unplugged and plugged in again between two scans, which is an entry each.
const sticks = Array.from({ length: 8 }, (_, index) => ({ index, deviceNumber: 2 + Math.floor(Math.random() * 1e6) }));
const scan = (): void => {
  inventory.apply({
    type: "scanned",
    at: new Date().toISOString(),
    devices: sticks.map(({ index, deviceNumber }) =>
      sighted({ stick: { ...sonoff, serial: `unit${index}x` }, port: `1-${index + 1}`, tty: index, deviceNumber }),
    ),
  });
};
scan();
while (newest() < Number(target)) {
  const before = newest();
  const started = performance.now();
  const moved = 1 + Math.floor(Math.random() * Math.min(sticks.length, Number(target) - before));
  for (const stick of sticks.slice(0, moved)) stick.deviceNumber += 1;
  scan();
  const pauseMs = Number(perSecond) === 0 ? 0 : ((newest() - before) * 1_000) / Number(perSecond) - (performance.now() - started);
  await sleep(Math.max(0, pauseMs));
}
tell();
