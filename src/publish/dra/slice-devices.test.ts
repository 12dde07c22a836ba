import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostileRadio } from "../../../test/fixtures/hostile-radios.ts";
import { sampleRadio, zigbee } from "../../../test/fixtures/sample-radios.ts";
import { expectAcceptableDevices } from "../../../test/fixtures/slice-rules.ts";
import type { Radio } from "../../core/radio.ts";
import { deviceAttributes } from "./device-attributes.ts";
import { type SliceFacts, sliceDevices } from "./slice-devices.ts";

const now = Date.parse("2026-01-01T00:10:00Z");
const facts = (radios: readonly Radio[], changes: Partial<SliceFacts> = {}): SliceFacts => ({
  groups: new Map([["zigbee", radios]]),
  domain: "radio.mi.house",
  handed: new Map(),
  claimed: new Set(),
  graceMs: 30_000,
  taints: true,
  now,
  ...changes,
});
const absent = (secondsAgo: number): Partial<Radio> => ({
  presence: "absent",
  absentSince: new Date(now - secondsAgo * 1_000 + 5).toISOString(),
});
const taintsOf = (changes: Partial<SliceFacts>, radio: Partial<Radio> = {}) =>
  sliceDevices(facts([sampleRadio("a", radio)], changes)).devices.map(({ taints }) => taints ?? []);

describe("attributes", () => {
  test("say all that is known, each kind as an attribute of its own", () => {
    const radio = sampleRadio("10c4-ea60-0001", {
      name: "attic",
      identity: { ...zigbee, kinds: ["thread", "my-kind", "id"], firmware: "7.4.4", adapter: "ember" },
    });
    expect(deviceAttributes(radio, "coordinator")).toEqual({
      id: { string: "10c4-ea60-0001" },
      name: { string: "attic" },
      group: { string: "coordinator" },
      kind: { string: "thread" },
      kinds: { string: "thread,my-kind,id" },
      thread: { bool: true },
      my_kind: { bool: true },
      model: { string: "Dongle Plus (P)" },
      vendor: { string: "SONOFF" },
      certainty: { string: "certain" },
      mode: { string: "application" },
      adapter: { string: "ember" },
      firmware: { string: "7.4.4" },
      firmwareVersion: { version: "7.4.4" },
      baudRate: { int: 115_200 },
      function: { string: "serial" },
      driver: { string: "cp210x" },
      vendorId: { string: "10c4" },
      productId: { string: "ea60" },
      manufacturer: { string: "ITead" },
      product: { string: "Sonoff" },
      serial: { string: "0001" },
      port: { string: "1-1" },
      bridged: { bool: false },
    });
  });

  test("a firmware that is no semantic version is only text", () => {
    const withFirmware = (firmware: string) => deviceAttributes(sampleRadio("a", { identity: { ...zigbee, firmware } }), "zigbee");
    expect(withFirmware("20240710")).toMatchObject({ firmware: { string: "20240710" } });
    for (const firmware of ["20240710", "7.4.4.0", "v1.2.3", "1.02.3", ""])
      expect(withFirmware(firmware)).not.toHaveProperty("firmwareVersion");
  });
});

describe("taints", () => {
  test("none for a radio that is plugged in and free, or that a claim has", () => {
    expect(taintsOf({})).toEqual([[]]);
    expect(taintsOf({ claimed: new Set(["a"]) })).toEqual([[]]);
  });

  test("absent from the moment it is missed, gone after the grace", () => {
    const key = "radio.mi.house/absent";
    expect(taintsOf({}, absent(1))).toEqual([[{ key, effect: "NoSchedule", timeAdded: "2026-01-01T00:09:59Z" }]]);
    expect(taintsOf({}, absent(31))).toEqual([]);
  });

  test("an absent radio that a claim has stays listed, and evicts only where that is asked for", () => {
    const claimed = new Set(["a"]);
    expect(taintsOf({ claimed }, absent(400))).toMatchObject([[{ effect: "NoSchedule" }]]);
    expect(taintsOf({ claimed, evictAfterMs: 300_000 }, absent(200))).toMatchObject([[{ effect: "NoSchedule" }]]);
    expect(taintsOf({ claimed, evictAfterMs: 300_000 }, absent(301))).toMatchObject([[{ effect: "NoExecute" }]]);
  });

  test("in use while the device plugin has given it away, and in its bootloader", () => {
    const inUse = { key: "radio.mi.house/in-use", value: "device-plugin", effect: "NoSchedule" };
    expect(taintsOf({ handed: new Map([["a", undefined]]) })).toEqual([[inUse]]);
    expect(taintsOf({ handed: new Map([["a", "2026-01-01T00:00:01.999Z"]]) })).toEqual([[{ ...inUse, timeAdded: "2026-01-01T00:00:01Z" }]]);
    expect(taintsOf({}, { mode: "bootloader" })).toEqual([[{ key: "radio.mi.house/bootloader", effect: "NoSchedule" }]]);
  });

  test("where the cluster keeps none, what would have one is left out, unless a claim has it", () => {
    expect(taintsOf({ taints: false })).toEqual([[]]);
    expect(taintsOf({ taints: false, handed: new Map([["a", undefined]]) })).toEqual([]);
    expect(taintsOf({ taints: false }, absent(1))).toEqual([]);
    expect(taintsOf({ taints: false, claimed: new Set(["a"]) }, absent(1))).toEqual([[]]);
  });

  test("asks to be looked at again when a grace ends or an eviction is due", () => {
    const wakeAt = (changes: Partial<SliceFacts>, seconds: number) =>
      sliceDevices(facts([sampleRadio("a", absent(seconds))], changes)).wakeAt;
    expect(wakeAt({}, 10)).toBe(now + 20_005);
    expect(wakeAt({ evictAfterMs: 15_000 }, 10)).toBe(now + 5_005);
    expect(wakeAt({ claimed: new Set(["a"]) }, 40)).toBeUndefined();
    expect(sliceDevices(facts([sampleRadio("a")])).wakeAt).toBeUndefined();
  });
});

test("whatever radios say, the API server would take their devices", () => {
  fc.assert(
    fc.property(fc.array(hostileRadio, { maxLength: 20 }), fc.boolean(), (radios, isHanded) => {
      const handed = new Map(isHanded ? radios.map(({ id }) => [id, id]) : []);
      expectAcceptableDevices(sliceDevices(facts(radios, { handed, evictAfterMs: 0, graceMs: 1e12 })).devices);
    }),
  );
});
