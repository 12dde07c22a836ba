import { expect, test } from "vitest";
import type { Device } from "../core/device.ts";
import { overrideFor, type RadioOverride } from "./belief.ts";

const gpio = { path: "/dev/gpiochip0", major: 254, minor: 0 } as const;
const hat: Device = {
  sysPath: "devices/platform/soc/fe204000.spi/spi_master/spi0/spi0.0",
  function: "spi",
  nodes: [{ path: "/dev/spidev0.0", major: 153, minor: 0 }, gpio],
};
const stick: Device = {
  sysPath: "devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0",
  function: "serial",
  nodes: [{ path: "/dev/ttyUSB0", major: 188, minor: 0 }],
  usb: { vendorId: "10c4", productId: "ea60", serial: "0001", port: "1-1", busNumber: 1, deviceNumber: 2, interfaces: [] },
};

test.each<[string, Device, RadioOverride["match"]]>([
  ["what is built in by its node", hat, { node: "/dev/spidev0.0" }],
  ["what is on USB by all that is given", stick, { serial: "0001", port: "1-1" }],
])("an override matches %s", (_what, device, match) => {
  expect(overrideFor([{ match, kind: "lora" }], device, "kind")).toBe("lora");
});

test.each<[string, Device, RadioOverride["match"]]>([
  ["by another's node", hat, { node: "/dev/spidev0.1" }],
  ["by the node of a chip beside it, which others have too", hat, { node: gpio.path }],
  ["what is on USB by a node, which changes its name", stick, { node: "/dev/ttyUSB0" }],
  ["by half of what is given", stick, { serial: "0001", port: "1-2" }],
  ["by nothing", stick, {}],
])("an override does not match %s", (_what, device, match) => {
  expect(overrideFor([{ match, kind: "lora" }], device, "kind")).toBeUndefined();
});
