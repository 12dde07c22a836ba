import { expect, test } from "vitest";
import { Cell } from "../core/cell.ts";
import type { Log } from "../core/log.ts";
import type { RelayPairStatus } from "../core/relay.ts";
import { logRoles } from "./log-roles.ts";

const pair = (role: "active" | "standby", why: string, family?: 4 | 6): RelayPairStatus => ({
  links: ["a", "b"],
  role,
  why,
  since: "2026-01-01T00:00:00.000Z",
  ...(family !== undefined && { family }),
});

test("a line for each change of role, and for each new reason not to relay", async () => {
  const lines: string[] = [];
  const log = {
    info: ({ why, family = "both" }: Record<string, unknown>, text: string) =>
      void lines.push(`${text}, ${String(family)}: ${String(why)}`),
  } as unknown as Log;
  const cell = new Cell<readonly RelayPairStatus[]>([pair("standby", "listens first")]);
  const stop = new AbortController();
  const logging = logRoles(cell, log, stop.signal);
  for (const next of [
    [pair("standby", "listens first")],
    [pair("standby", "both links are one network")],
    [pair("active", "alone")],
    [pair("active", "the first")],
    [pair("active", "the first", 4), pair("standby", "10.1.0.2 relays", 6)],
    [pair("active", "the first", 4), pair("standby", "10.1.0.2 relays", 6)],
  ]) {
    await new Promise((resolve) => setImmediate(resolve));
    cell.set(next);
  }
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await logging.catch(() => {});
  expect(lines).toEqual([
    "standing by, both: listens first",
    "standing by, both: both links are one network",
    "relaying, both: alone",
    "standing by, IPv6: 10.1.0.2 relays",
  ]);
});
