import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ambiguous, sampleRadio, zigbee } from "../../../test/fixtures/sample-radios.ts";
import type { Device } from "../../core/device.ts";
import { handoverVariables } from "../../core/handed-container.ts";
import { printable } from "../../core/printable.ts";
import type { Radio } from "../../core/radio.ts";
import { deviceNumbers, editsFor } from "./radio-edits.ts";

const first = { group: "zigbee", ordinal: 1, node: "n1" } as const;
const { device: stick } = sampleRadio("any");
const withDevice = (changes: Partial<Device>): Radio => sampleRadio("a", { device: { ...stick, ...changes } });

describe("nodes", () => {
  test("a serial port is at the stable path and under its by-id name, not at its own", () => {
    const numbers = { hostPath: "/dev/ttyUSB0", major: 188, minor: 0 };
    expect(editsFor(sampleRadio("a"), first).nodes).toEqual([
      { path: "/dev/radio/zigbee", ...numbers },
      { path: "/dev/serial/by-id/usb-ITead_Sonoff_0001-if00-port0", ...numbers },
    ]);
  });

  test("a container's second radio of a group", () => {
    const { nodes, environment } = editsFor(sampleRadio("a"), { group: "my-mesh", ordinal: 2, node: "n1" });
    expect(nodes[0]?.path).toBe("/dev/radio/my-mesh-2");
    expect(environment["RADIO_MY_MESH_2_PATH"]).toBe("/dev/radio/my-mesh-2");
  });

  test("SPI with its GPIO chips, HID and raw USB also have the host's names", () => {
    const { line: _line, ...identity } = zigbee;
    const paths = (device: Partial<Device>): readonly string[] =>
      editsFor({ ...withDevice({ byId: undefined as never, ...device }), identity }, first).nodes.map(({ path }) => path);
    const node = (path: string): Device["nodes"][number] => ({ path, major: 1, minor: 2 });
    expect(paths({ function: "spi", nodes: [node("/dev/spidev0.0"), node("/dev/gpiochip0")] })).toEqual([
      "/dev/radio/zigbee",
      "/dev/spidev0.0",
      "/dev/gpiochip0",
    ]);
    expect(paths({ function: "usb", nodes: [node("/dev/hidraw3"), node("/dev/bus/usb/001/004")] })).toEqual([
      "/dev/radio/zigbee",
      "/dev/hidraw3",
      "/dev/bus/usb/001/004",
    ]);
  });

  test.each(["../x", "a/b", "a\0b", "a b", "a\nb", "", ".hidden", "..", "\u202ea", "é".repeat(128)])(
    "a by-id name %j is left out",
    (byId) => {
      const { nodes, environment } = editsFor(withDevice({ byId }), first);
      expect(nodes).toHaveLength(1);
      expect(environment).not.toHaveProperty("RADIO_ZIGBEE_BYID");
    },
  );

  test("a radio without a node that could be given is refused", () => {
    const bad = ["/etc/passwd", "/dev/../etc/passwd", "/dev/", "/dev/a b", "/dev/./a", "dev/ttyUSB0", "/dev/a/../b", "/dev/a\n"];
    for (const nodes of [[], bad.map((path) => ({ path, major: 1, minor: 1 }))]) {
      expect(() => editsFor(withDevice({ nodes }), first)).toThrow(expect.objectContaining({ code: "handover.no-node" }));
    }
  });
});

describe("environment", () => {
  test("of a coordinator", () => {
    expect(editsFor(sampleRadio("10c4-ea60-0001"), first).environment).toEqual({
      RADIO_ZIGBEE_PATH: "/dev/radio/zigbee",
      RADIO_ZIGBEE_BYID: "/dev/serial/by-id/usb-ITead_Sonoff_0001-if00-port0",
      RADIO_ZIGBEE_ID: "10c4-ea60-0001",
      RADIO_ZIGBEE_DEVICE: "188:0",
      RADIO_ZIGBEE_KIND: "zigbee",
      RADIO_ZIGBEE_VENDOR: "SONOFF",
      RADIO_ZIGBEE_MODEL: "Dongle Plus (P)",
      RADIO_ZIGBEE_SERIAL: "0001",
      RADIO_ZIGBEE_ADAPTER: "zstack",
      RADIO_ZIGBEE_BAUD: "115200",
      RADIO_ZIGBEE_RTSCTS: "false",
      RADIO_NODE: "n1",
    });
  });

  test("says what is known and nothing else", () => {
    const { environment } = editsFor(
      sampleRadio("a", { identity: ambiguous, device: { sysPath: "x", function: "spi", nodes: stick.nodes } }),
      first,
    );
    expect(Object.keys(environment).toSorted()).toEqual([
      "RADIO_NODE",
      "RADIO_ZIGBEE_DEVICE",
      "RADIO_ZIGBEE_ID",
      "RADIO_ZIGBEE_MODEL",
      "RADIO_ZIGBEE_PATH",
    ]);
  });

  test("aerial finds its own variables again, and tells nodes by their numbers", () => {
    const { environment } = editsFor(sampleRadio("a"), { ...first, ordinal: 2 });
    const idVariable = Object.keys(environment).find((name) => handoverVariables.id.test(name)) ?? "";
    expect(environment[idVariable]).toBe("a");
    expect(environment[handoverVariables.deviceOf(idVariable)]).toBe(deviceNumbers(sampleRadio("a")));
    const two = [...stick.nodes, { path: "/dev/bus/usb/001/005", major: 189, minor: 4 }];
    expect(deviceNumbers(withDevice({ nodes: two }))).toBe("188:0,189:4");
  });
});

/** What a hostile stick would say; plugins may pass any of it on. */
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom(
    "\nLD_PRELOAD=/tmp/x",
    "\0\0LD_PRELOAD=/tmp/x",
    '","env":["LD_PRELOAD=/x"],"',
    "../../../etc/passwd",
    "a=b=c",
    "\ud800",
    "𝕏".repeat(255),
    "\u{10ffff}".repeat(255),
    "x".repeat(255),
    "$(reboot)`reboot`;&|'\"",
  ),
);
const groupName = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);

test("hostile text stays a value: names, paths and JSON are what they would be without it", () => {
  const cases = fc.record({
    text: hostile,
    byId: hostile,
    node: hostile.filter((text) => text !== ""),
    group: groupName,
    ordinal: fc.integer({ min: 1, max: 8 }),
    baudRate: fc.double(),
  });
  fc.assert(
    fc.property(cases, ({ text, byId, node, group, ordinal, baudRate }) => {
      const radio = sampleRadio("a", {
        device: {
          ...stick,
          byId,
          nodes: [...stick.nodes, { path: `/dev/${text}`, major: 1, minor: 1 }],
          usb: { ...stick.usb!, serial: text },
        },
        identity: { ...zigbee, kinds: [text], vendor: text, model: text, adapter: text, firmware: text, line: { baudRate, rtscts: true } },
      });
      const { nodes, environment } = editsFor(radio, { group, ordinal, node });
      for (const { path, hostPath } of nodes) {
        expect(path).toMatch(/^\/dev\/(?:radio\/[a-z0-9-]{1,65}|serial\/by-id\/[^/.][^/\s]*|[A-Za-z0-9_][^\s]*)$/u);
        expect(path.split("/")).not.toContain("..");
        expect(hostPath).toMatch(/^\/dev\/[A-Za-z0-9._:@+/-]+$/);
        expect(Buffer.from(path).toString()).toBe(path);
      }
      const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      for (const [name, value] of Object.entries(environment)) {
        expect(name).toMatch(/^RADIO_[A-Z0-9_]{1,80}$/);
        expect(printable(value)).toBe(value);
        expect(value.length).toBeGreaterThan(0);
        expect(value.length).toBeLessThanOrEqual(255);
        expect(Buffer.from(value).toString()).toBe(value);
      }
      expect(JSON.parse(JSON.stringify(lines))).toEqual(lines);
      expect(Object.keys(environment).length).toBeLessThanOrEqual(14);
    }),
    { numRuns: 500 },
  );
});
