import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seenService as seen } from "../../test/fixtures/seen-services.ts";
import { Cell } from "../core/cell.ts";
import type { SeenService } from "../core/relay.ts";
import { toNetworkDevices } from "./network-devices.ts";
import { runNetworkHints } from "./network-hints.ts";

const wanted = new Set([
  "_slzb-06._tcp",
  "_xzg._tcp",
  "_zigbee-gateway._tcp",
  "_zigstar_gw._tcp",
  "_esphomelib._tcp",
  "_meshcop._udp",
  "_meshtastic._tcp",
]);

const xzgText = { version: "1.0", radio_type: "znp", serial_number: "00124B0001020304", board: "UZG-01" };
const xzg = ["_zigstar_gw._tcp", "_xzg._tcp", "_zigbee-gateway._tcp"].map((service) =>
  seen({ service, instance: "XZG-ABCD", host: "xzg-abcd.local", port: 6_638, text: xzgText }),
);

describe("what is announced", () => {
  it("becomes a device", () => {
    expect(
      toNetworkDevices(
        [seen({ service: "_slzb-06._tcp", instance: "slzb-06", host: "SLZB-06.local", port: 6_638, text: { mac: "AA:BB:CC:DD:EE:0F" } })],
        wanted,
      ),
    ).toEqual([
      {
        sysPath: "network/slzb-06.local:6638",
        function: "network",
        nodes: [],
        network: {
          service: "_slzb-06._tcp",
          instance: "slzb-06",
          text: { mac: "AA:BB:CC:DD:EE:0F" },
          host: "SLZB-06.local",
          port: 6_638,
          addresses: ["192.0.2.7"],
          others: [],
          links: ["home"],
          mac: "aabbccddee0f",
        },
      },
    ]);
  });

  it("is left out when nobody asks for it, when it is not all heard, and when it can't be reached", () => {
    const { host: _host, port: _port, ...placeless } = seen({ service: "_slzb-06._tcp" });
    const services = [
      seen({ service: "_http._tcp" }),
      seen({ service: "_slzb-06._tcp", unresolved: true }),
      seen({ service: "_slzb-06._tcp", port: 0 }),
      seen({ service: "_slzb-06._tcp", protocol: "ssdp" }),
      placeless,
    ];
    expect(toNetworkDevices(services, wanted)).toEqual([]);
  });
});

describe("one radio", () => {
  it("is one device under three types on one socket, on two links, in any order", () => {
    const services = [...xzg, ...xzg.map((service) => ({ ...service, link: "iot", addresses: ["198.51.100.7"] }))];
    const [device, ...more] = toNetworkDevices(services, wanted);
    expect(more).toEqual([]);
    expect(device?.network).toMatchObject({
      service: "_xzg._tcp",
      others: [{ service: "_zigbee-gateway._tcp" }, { service: "_zigstar_gw._tcp" }],
      links: ["home", "iot"],
      serial: "00124b0001020304",
      addresses: ["192.0.2.7", "198.51.100.7"],
    });
    fc.assert(
      fc.property(fc.shuffledSubarray(services, { minLength: services.length }), (shuffled) => {
        expect(toNetworkDevices(shuffled, wanted)).toEqual([device]);
      }),
    );
  });

  it("is one device by its serial number, wherever it answers", () => {
    const elsewhere = xzg.map((service, index) => ({ ...service, host: `name-${index}.local`, port: 6_638 + index }));
    expect(toNetworkDevices(elsewhere, wanted).map(({ sysPath }) => sysPath)).toEqual(["network/name-0.local:6638"]);
    const prefixed = seen({ service: "_zigbee-gateway._tcp", host: "b.local", port: 1, text: { serial_number: "0x00124b0001020304" } });
    expect(toNetworkDevices([...xzg, prefixed], wanted)).toHaveLength(1);
  });

  it("is not all of its box: two radios of one MAC on two ports are two", () => {
    const text = { mac: "AABBCCDDEE0F" };
    const both = [6_638, 7_638].map((port) =>
      seen({ service: "_slzb-06._tcp", instance: `slzb-mr1-${port}`, host: "slzb-mr1.local", port, text }),
    );
    expect(toNetworkDevices(both, wanted)).toHaveLength(2);
  });

  it("keeps its path, whichever of its types is heard", () => {
    const paths = xzg.map((service) => toNetworkDevices([service], wanted).map(({ sysPath }) => sysPath));
    expect(new Set(paths.flat())).toEqual(new Set(["network/xzg-abcd.local:6638"]));
  });
});

it.each<[string, Readonly<Record<string, string>>, object]>([
  ["_meshcop._udp", { xa: "aeeb2f594b570bbf", xp: "e60fc7c186212ce5", vn: "OpenThread" }, { serial: "aeeb2f594b570bbf" }],
  ["_meshtastic._tcp", { shortname: "ABCD", id: "!0badf00d", pio_env: "heltec-v3" }, { serial: "0badf00d" }],
  ["_esphomelib._tcp", { mac: "aabbccddeeff", platform: "ESP32" }, { mac: "aabbccddeeff" }],
])("finds the number of %s in %o", (service, text, numbers) => {
  expect(toNetworkDevices([seen({ service, text })], wanted)[0]?.network).toMatchObject(numbers);
});

it("takes no number that is none", () => {
  const text = { serial_number: " ", mac: "not a mac" };
  const [device] = toNetworkDevices([seen({ service: "_slzb-06._tcp", text })], wanted);
  expect(device?.network).not.toHaveProperty("serial");
  expect(device?.network).not.toHaveProperty("mac");
});

it("keeps what is announced printable, short and few", () => {
  const hostile = "\u001b[31m\u202e" + "x".repeat(400);
  const flood = Array.from({ length: 1_000 }, (_, index) =>
    seen({ service: "_slzb-06._tcp", instance: hostile, host: `h${index}.local`, text: { model: hostile } }),
  );
  const devices = toNetworkDevices(flood, wanted);
  expect(devices).toHaveLength(64);
  expect(devices.map(({ network }) => network?.host)).toContain("h0.local");
  for (const { network } of devices) expect(network?.instance).toMatch(/^[ -~]{255}$/);
});

it("never throws, and gives each path once", () => {
  const text = fc.dictionary(fc.constantFrom("mac", "serial_number", "radio_type", "__proto__"), fc.string({ unit: "binary" }));
  const service: fc.Arbitrary<SeenService> = fc
    .record({
      service: fc.constantFrom(...wanted),
      instance: fc.string({ unit: "binary" }),
      host: fc.string({ unit: "binary" }),
      port: fc.nat({ max: 3 }),
      link: fc.constantFrom("home", "iot"),
      text,
    })
    .map((facts) => seen(facts));
  fc.assert(
    fc.property(fc.array(service), (services) => {
      const paths = toNetworkDevices(services, wanted).map(({ sysPath }) => sysPath);
      expect(new Set(paths).size).toBe(paths.length);
    }),
  );
});

it("gives a hint for other radios, and for nothing else", async () => {
  const stop = new AbortController();
  const services = new Cell<readonly SeenService[]>([]);
  const hints: string[] = [];
  const done = runNetworkHints({ services, wanted: () => wanted, hints: { give: (source) => void hints.push(source) } }, stop.signal);
  const settle = async (value: readonly SeenService[]): Promise<number> => {
    services.set(value);
    await new Promise((resolve) => setImmediate(resolve));
    return hints.length;
  };
  expect(await settle([seen({ service: "_airplay._tcp" })])).toBe(0);
  expect(await settle(xzg)).toBe(1);
  expect(await settle(xzg.map((service) => Object.assign({}, service, { lastSeen: "2026-01-02T00:00:00.000Z" })))).toBe(1);
  expect(await settle([])).toBe(2);
  stop.abort();
  await done;
});
