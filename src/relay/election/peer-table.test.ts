import { expect, test } from "vitest";
import type { Heartbeat } from "./heartbeat.ts";
import { createPeerTable } from "./peer-table.ts";

const heartbeat = (link: string, other: string, addresses: readonly string[]): Heartbeat => ({
  id: "0000000000000001",
  ttl: 3,
  link,
  token: "00000000000000aa",
  addresses,
  pairs: new Map([[other, { 4: "active", 6: "active" }]]),
});

test("who speaks in both families by turns is called by one address, while it has that", () => {
  const table = createPeerTable();
  const hear = (source: string, addresses: readonly string[], now: number): readonly string[] => {
    table.hear({ heartbeat: heartbeat("k1", "k2", addresses), source }, "a", now);
    table.hear({ heartbeat: heartbeat("k2", "k1", addresses), source }, "b", now);
    return table.contenders({ links: ["a", "b"], family: 4 }, now).map((contender) => contender.source);
  };
  const both = ["fe80::1", "10.65.0.1"];
  expect(hear("fe80::1", both, 0)).toEqual(["fe80::1"]);
  expect(hear("10.65.0.1", both, 1)).toEqual(["fe80::1"]);
  expect(hear("fe80::1", both, 1_000)).toEqual(["fe80::1"]);
  expect(hear("10.65.0.1", ["10.65.0.1"], 2_000)).toEqual(["10.65.0.1"]);
});
