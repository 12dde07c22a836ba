import { join } from "node:path";
import fc from "fast-check";
import { expect, it, test } from "vitest";
import { sampleRadio } from "../../../test/fixtures/sample-radios.ts";
import { listDevices } from "./device-list.ts";
import { isExtendedResourceName } from "./kubelet-limits.ts";
import { isOurSocket, socketPathFor } from "./socket-name.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const nothing = { withheld: new Set<string>(), missing: new Map<string, number>(), graceMs: 5_000, now };
const gone = (id: string, agoMs: number) => sampleRadio(id, { presence: "absent", absentSince: new Date(now - agoMs).toISOString() });

it("lists what is plugged in, what others have, and what is gone for less than the grace", () => {
  const radios = [gone("c", 4_000), sampleRadio("b"), sampleRadio("a"), gone("d", 5_000)];
  expect(listDevices({ ...nothing, radios, withheld: new Set(["b"]), missing: new Map([["e", now - 1_000]]) })).toEqual({
    devices: [
      { ID: "a", health: "Healthy" },
      { ID: "b", health: "Unhealthy" },
      { ID: "c", health: "Unhealthy" },
      { ID: "e", health: "Unhealthy" },
    ],
    wakeAt: now + 1_000,
  });
});

it("a stick that waits in its bootloader can be given to nobody, and stays listed", () => {
  expect(listDevices({ ...nothing, radios: [sampleRadio("a", { mode: "bootloader" })] }).devices).toEqual([
    { ID: "a", health: "Unhealthy" },
  ]);
});

it("a clock that was set back keeps nothing for longer than the grace", () => {
  expect(listDevices({ ...nothing, radios: [gone("a", -3_600_000)] }).wakeAt).toBe(now + 5_000);
  expect(listDevices({ ...nothing, radios: [sampleRadio("a", { presence: "absent" })] }).devices).toHaveLength(1);
});

test.for<readonly [string, boolean]>([
  ["radio.mi.house/zigbee", true],
  ["a/B_c.d", true],
  ["zigbee", false],
  ["radio.mi.house/zig/bee", false],
  ["requests.mi.house/zigbee", false],
  ["radio.kubernetes.io/zigbee", false],
  ["Radio/zigbee", false],
  ["radio/-zigbee", false],
  [`radio/${"z".repeat(63)}`, true],
  [`radio/${"z".repeat(64)}`, false],
  [`${"d.".repeat(121)}dd/zigbee`, true],
  [`${"d.".repeat(121)}ddd/zigbee`, false],
])("%s can be a resource: %s", ([name, possible]) => {
  expect(isExtendedResourceName(name)).toBe(possible);
});

it("sockets have names that are ours, each another, and fit wherever they can", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/), fc.integer({ min: 1, max: 82 }), (group, length) => {
      const directory = `/${"d".repeat(length - 1)}`;
      const path = socketPathFor(directory, group);
      expect(Buffer.byteLength(path)).toBeLessThanOrEqual(107);
      expect(isOurSocket(path.slice(join(directory, "/").length))).toBe(true);
      expect(socketPathFor(directory, group)).not.toBe(path);
    }),
  );
  expect(["kubelet.sock", "nvidia.sock", "aerial.sock", "aerial-zigbee.sock", "kubelet_internal_checkpoint"].filter(isOurSocket)).toEqual(
    [],
  );
});
