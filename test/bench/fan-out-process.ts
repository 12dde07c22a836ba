/**
 * One event after the other to all who listen, for `fan-out.ts`. Arguments: `aerial` or `bare`, a directory, how many events,
 * milliseconds between them. `bare` is what `node:http` costs that does nothing else. Begins when its parent says so; then
 * tells at which time each event was there to be sent.
 */
import "../../src/small-heap.ts";
import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock as clock } from "../../src/core/clock.ts";
import { createConditions } from "../../src/core/condition.ts";
import { silentLog as log } from "../../src/core/log.ts";
import { openInventory } from "../../src/inventory/open-inventory.ts";
import { serveLive } from "../api/live-server.ts";
import { sighted, sonoff } from "../fixtures/sightings.ts";

export interface Timetable {
  /** CLOCK_MONOTONIC, nanoseconds. */
  readonly times: readonly string[];
  readonly cpuMicroseconds: number;
}

const [kind = "", directory = "", events = "0", pauseMs = "0"] = process.argv.slice(2);
const socketPath = join(directory, "api.sock");
const send = kind === "aerial" ? await openAerial() : await openBare();
process.send?.("ready");
await once(process, "message");
const times: string[] = [];
const spentBefore = process.cpuUsage();
for (let number = 1; number <= Number(events); number += 1) {
  times.push(String(send(number)));
  await sleep(Number(pauseMs));
}
const { user, system } = process.cpuUsage(spentBefore);
process.send?.({ times, cpuMicroseconds: user + system } satisfies Timetable);
process.on("message", () => process.exit(0));

/** Gives a function that makes an event and the time at which it was stored. */
async function openAerial(): Promise<(number: number) => bigint> {
  const conditions = createConditions(clock);
  const inventory = await openInventory({ file: join(directory, "inventory.sqlite"), node: "n1", clock, log, conditions });
  await serveLive({ socketPath, inventory, conditions, clock, log });
  const scan = (deviceNumber: number): void => {
    const devices = [sighted({ stick: sonoff, port: "1-1", deviceNumber })];
    inventory.apply({ type: "scanned", at: new Date().toISOString(), devices });
  };
  scan(2);
  return (number) => {
    scan(2 + number);
    return process.hrtime.bigint();
  };
}

async function openBare(): Promise<(number: number) => bigint> {
  const readers = new Set<ServerResponse>();
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    readers.add(response);
  });
  server.listen(socketPath);
  await once(server, "listening");
  // As long as an entry of aerial's is.
  const filler = "x".repeat(520);
  return (number) => {
    const at = process.hrtime.bigint();
    for (const reader of readers) reader.write(`id: bare.${number}\nevent: history\ndata: ${filler}\n\n`);
    return at;
  };
}
