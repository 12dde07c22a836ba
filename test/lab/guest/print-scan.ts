/** Runs the scanner on this node and prints each scan that differs from the last as a line of JSON: devices, blind spots, conditions. */
import { systemClock } from "../../../src/core/clock.ts";
import { createConditions } from "../../../src/core/condition.ts";
import { silentLog } from "../../../src/core/log.ts";
import { hostPathsBelow } from "../../../src/host/host-paths.ts";
import { openHost } from "../../../src/host/host.ts";
import { runScanner } from "../../../src/scan/run-scanner.ts";

const clock = systemClock;
const conditions = createConditions(clock);
let last = "";

/** Nothing else keeps the process alive: the scanner must not. */
setInterval(() => {}, 60_000);

await runScanner(
  {
    host: openHost({ paths: hostPathsBelow("/"), clock }),
    clock,
    log: silentLog,
    conditions,
    // Far beyond the test: what is seen was heard.
    intervalMs: 3_600_000,
    onScan({ devices, blindSpots }) {
      const line = JSON.stringify({ devices, blindSpots, conditions: [...conditions.current.keys()] });
      if (line !== last) process.stdout.write(`${line}\n`);
      last = line;
    },
  },
  new AbortController().signal,
);
