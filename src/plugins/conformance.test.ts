import { expect, it } from "vitest";
import type { Fingerprint, NetworkFingerprint } from "../sdk/plugin.ts";
import { runPluginConformance } from "./conformance.ts";

const row = {
  id: "row",
  match: { name: /^acme/i },
  says: "is",
  kinds: ["zigbee"],
  certainty: "likely",
  probe: "none",
  source: "test",
} as const;

function problemsOf(...rows: readonly Fingerprint[]): readonly string[] {
  return runPluginConformance({ apiVersion: 1, name: "acme", fingerprints: rows });
}

it("finds nothing wrong with a good plugin", () => {
  expect(problemsOf(row)).toEqual([]);
});

it("wants expressions to ignore case and to keep no state", () => {
  expect(problemsOf({ ...row, match: { name: /^acme/g } })).toEqual([
    "row: match.name should ignore case: add the flag i",
    "row: match.name has the flag g or y, which means nothing here",
  ]);
});

it("refuses expressions that hostile strings can make slow", () => {
  expect(problemsOf({ ...row, match: { name: /^(?:a+)+$/i } })[0]).toMatch(
    /^row: match\.name takes \d+ ms on \d+ characters: make it linear$/,
  );
});

it("refuses rows that call a bridge chip's own identity a radio", () => {
  expect(problemsOf({ ...row, match: { vendorId: "10c4", productId: "ea60" } })).toContain(
    'row: would call 10c4:ea60 "Silicon Labs CP2102 USB to UART Bridge Controller" a radio',
  );
  expect(problemsOf({ ...row, match: { name: /e/i } }).length).toBeGreaterThan(0);
  const honest = {
    id: "row",
    match: { vendorId: "10c4", productId: "ea60" },
    says: "may-be",
    kinds: ["zigbee"],
    probe: "none",
    source: "test",
  } as const;
  expect(problemsOf(honest)).toEqual([]);
});

it("refuses rows for the network that call a radio what everybody has", () => {
  const greedy = { id: "nodes", service: "_esphomelib._tcp", says: "is", kinds: ["zigbee"], certainty: "likely", source: "test" } as const;
  const conform = (network: readonly NetworkFingerprint[]): readonly string[] =>
    runPluginConformance({ apiVersion: 1, name: "acme", fingerprints: [row], network });
  expect(conform([greedy])).toEqual(['nodes: would call _esphomelib._tcp "kitchen-lamp" a radio']);
  expect(conform([{ ...greedy, instance: "acme-*" }])).toEqual([]);
});

it("calls describe with a radio it does not know", () => {
  const describe = (): never => {
    throw new TypeError("no firmware");
  };
  expect(runPluginConformance({ apiVersion: 1, name: "acme", fingerprints: [row], describe })).toEqual([
    "describe throws on a radio it does not know: TypeError: no firmware",
  ]);
});
