import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Device } from "../core/device.ts";
import type { Fingerprint } from "../sdk/plugin.ts";
import { toDeviceView } from "./device-view.ts";
import { identify } from "./identify.ts";
import { claimsOf } from "./match-fingerprint.ts";

const stick: Device = {
  sysPath: "devices/stick",
  function: "serial",
  nodes: [{ path: "/dev/ttyUSB0", major: 188, minor: 0 }],
  usb: {
    vendorId: "1111",
    productId: "2222",
    manufacturer: "Acme",
    product: "Mesh One",
    port: "1-1",
    busNumber: 1,
    deviceNumber: 2,
    interfaces: [],
  },
};

const is = { says: "is", kinds: ["zigbee"], certainty: "likely", probe: "allowed", source: "test" } as const;
const mayBe = { says: "may-be", kinds: ["thread", "zwave"], probe: "allowed", source: "test" } as const;
const isNot = { says: "is-not", source: "test", model: "toaster" } as const;
const byIds = { vendorId: "1111", productId: "2222" } as const;
const byBoth = { ...byIds, name: /^acme mesh one/i } as const;

function identityOf(device: Device, ...rows: readonly Fingerprint[]) {
  return identify(device, claimsOf({ name: "test", fingerprints: rows }, toDeviceView(device)));
}

describe("identify", () => {
  it("takes the row that asks for most, and says why", () => {
    const identity = identityOf(
      stick,
      { ...is, id: "vague", match: { name: /mesh/i }, kinds: ["lora"] },
      {
        ...is,
        id: "exact",
        match: byBoth,
        alternatives: ["thread"],
        vendor: "Acme",
        model: "One",
        adapter: "ember",
        line: { baudRate: 115_200, rtscts: true },
      },
    );
    expect(identity).toMatchObject({
      state: "identified",
      kinds: ["zigbee"],
      certainty: "likely",
      alternatives: ["thread"],
      vendor: "Acme",
      model: "One",
      mode: "application",
      adapter: "ember",
      line: { baudRate: 115_200, rtscts: true },
    });
    expect(identity.evidence.map(({ rule }) => rule)).toEqual(["exact", "vague"]);
    expect(identity.evidence[0]?.detail).toContain('USB id 1111:2222, name "Acme Mesh One": is most likely zigbee');
  });

  it("shows the device's own strings where a row names no product", () => {
    expect(identityOf(stick, { ...is, id: "any", match: { name: /mesh/i } })).toMatchObject({ vendor: "Acme", model: "Mesh One" });
  });

  it("is unknown, with a reason, when no row fits", () => {
    const identity = identityOf(stick, { ...is, id: "other", match: { vendorId: "9999" } });
    expect(identity).toMatchObject({ state: "unknown", mode: "application" });
    expect(identity.evidence[0]?.detail).toBe('no rule knows "Acme Mesh One" with USB id 1111:2222');
  });

  it("leaves a bare built-in serial port unknown and says why", () => {
    const identity = identityOf(
      { sysPath: "devices/uart", function: "serial", nodes: [{ path: "/dev/ttyAMA0", major: 204, minor: 64 }] },
      { ...is, id: "x", match: byBoth },
    );
    expect(identity).toMatchObject({
      state: "unknown",
      evidence: [{ detail: "a built-in serial port does not tell what is wired to it" }],
    });
  });

  it("unites all vague rows into the candidates", () => {
    const identity = identityOf(
      stick,
      { ...mayBe, id: "a", match: byBoth, model: "Bridge" },
      { ...mayBe, id: "b", match: byIds, kinds: ["zigbee", "thread"] },
    );
    expect(identity).toMatchObject({ state: "ambiguous", candidates: ["thread", "zigbee", "zwave"], model: "Bridge" });
  });

  it("lets strings outweigh vague ids, and vague strings outweigh ids", () => {
    expect(identityOf(stick, { ...mayBe, id: "ids", match: byIds }, { ...is, id: "words", match: { name: /mesh one/i } }).state).toBe(
      "identified",
    );
    expect(identityOf(stick, { ...mayBe, id: "both", match: byBoth }, { ...is, id: "ids", match: byIds }).state).toBe("ambiguous");
  });

  it("believes strings that say it is something else", () => {
    const other = { ...isNot, id: "not", match: { name: /acme/i } } as const;
    expect(identityOf(stick, other, { ...is, id: "words", match: { name: /mesh/i } })).toMatchObject({
      state: "unknown",
      model: "toaster",
    });
    expect(identityOf(stick, other, { ...is, id: "exact", match: byBoth }).state).toBe("identified");
  });

  it("blocks by id alone only what is claimed by words or by place alone", () => {
    const vendor = { ...isNot, id: "vendor", match: { vendorId: "1111" } } as const;
    expect(identityOf(stick, vendor, { ...is, id: "words", match: { name: /mesh one/i } }).state).toBe("unknown");
    expect(identityOf(stick, vendor, { ...mayBe, id: "words", match: { name: /mesh one/i } }).state).toBe("unknown");
    expect(identityOf(stick, vendor, { ...is, id: "ids", match: byIds }).state).toBe("identified");
    expect(identityOf(stick, vendor, { ...mayBe, id: "both", match: byBoth }).state).toBe("ambiguous");
  });

  it("calls rows of equal weight that contradict each other ambiguous, and agreeing ones by the more careful", () => {
    const one = { ...is, id: "one", match: byBoth, certainty: "certain" } as const;
    expect(identityOf(stick, one, { ...is, id: "two", match: byBoth, kinds: ["thread"] })).toMatchObject({
      state: "ambiguous",
      candidates: ["thread", "zigbee"],
    });
    expect(identityOf(stick, one, { ...is, id: "two", match: byBoth })).toMatchObject({ state: "identified", certainty: "likely" });
    expect(identityOf(stick, one)).toMatchObject({ certainty: "certain" });
  });

  it("keeps a bootloader apart from the radio, and names the radio when the strings do", () => {
    const boot = { says: "bootloader", id: "boot", match: byIds, model: "UF2 bootloader", source: "test" } as const;
    expect(identityOf(stick, boot)).toMatchObject({ state: "unknown", mode: "bootloader", model: "UF2 bootloader" });
    expect(identityOf(stick, boot, { ...mayBe, id: "may", match: byBoth })).toMatchObject({ state: "unknown", mode: "bootloader" });
    expect(identityOf(stick, boot, { ...is, id: "named", match: byBoth })).toMatchObject({
      state: "identified",
      mode: "bootloader",
      kinds: ["zigbee"],
    });
  });

  it("takes the kernel's word for a radio above any name", () => {
    const controller: Device = { ...stick, function: "bluetooth", driver: "btusb" };
    const identity = identityOf(
      controller,
      { ...is, id: "hci", match: { function: "bluetooth" }, kinds: ["bluetooth"], certainty: "certain" },
      { ...is, id: "words", match: { name: /mesh/i } },
    );
    expect(identity).toMatchObject({
      kinds: ["bluetooth"],
      certainty: "certain",
      evidence: [{ source: "kernel" }, { source: "fingerprint" }],
    });
  });
});

const hostileText = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom("Zigbee", "Z-Wave", "Thread", "CP2102N", "", "_", "usb-", "-if00-port0"),
);
const hostileDevice: fc.Arbitrary<Device> = fc.record(
  {
    sysPath: fc.string(),
    function: fc.constantFrom("serial", "spi", "bluetooth", "wifi", "ieee802154", "usb"),
    nodes: fc.array(fc.record({ path: fc.string(), major: fc.nat(), minor: fc.nat() }), { maxLength: 3 }),
    driver: hostileText,
    byId: hostileText,
    usb: fc.record(
      {
        vendorId: fc.constantFrom("1111", "10c4"),
        productId: fc.constantFrom("2222", "ea60"),
        port: fc.string(),
        busNumber: fc.nat(),
        deviceNumber: fc.nat(),
        interfaces: fc.constant([]),
        manufacturer: hostileText,
        product: hostileText,
        serial: hostileText,
      },
      { requiredKeys: ["vendorId", "productId", "port", "busNumber", "deviceNumber", "interfaces"] },
    ),
  },
  { requiredKeys: ["sysPath", "function", "nodes"] },
);

describe("identify, whatever comes", () => {
  const rows: readonly Fingerprint[] = [
    { ...is, id: "a", match: { name: /zig-?bee/i } },
    { ...is, id: "b", match: { name: /z-?wave/i }, kinds: ["zwave"] },
    { ...mayBe, id: "c", match: { vendorId: "10c4", productId: "ea60" } },
    { ...isNot, id: "d", match: { vendorId: "1111" } },
    { says: "bootloader", id: "e", match: { name: /thread/i }, source: "test" },
  ];

  it("never throws, is the same every time and in any order of plugins", () => {
    fc.assert(
      fc.property(hostileDevice, fc.shuffledSubarray([...rows], { minLength: rows.length }), (device, shuffled) => {
        const view = toDeviceView(device);
        const one = identify(
          device,
          rows.flatMap((row) => claimsOf({ name: `plugin-${row.id}`, fingerprints: [row] }, view)),
        );
        const other = identify(
          device,
          shuffled.flatMap((row) => claimsOf({ name: `plugin-${row.id}`, fingerprints: [row] }, view)),
        );
        expect(other).toEqual(one);
        expect(one.evidence.length).toBeGreaterThan(0);
      }),
    );
  });
});
