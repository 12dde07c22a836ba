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

test.each<[string, RadioOverride["match"], Device, boolean]>([
  ["what is built in by its node", { node: "/dev/spidev0.0" }, hat, true],
  ["not by another's", { node: "/dev/spidev0.1" }, hat, false],
  ["not by the node of a chip beside it, which others have too", { node: gpio.path }, hat, false],
  ["not what is on USB, whose nodes change their names", { node: "/dev/ttyUSB0" }, stick, false],
  ["by all that is given", { serial: "0001", port: "1-1" }, stick, true],
  ["not by half of it", { serial: "0001", port: "1-2" }, stick, false],
  ["nothing by nothing", {}, stick, false],
])("an override matches %s", (_what, match, device, isMatch) => {
  expect(overrideFor([{ match, kind: "lora" }], device, "kind")).toBe(isMatch ? "lora" : undefined);
});
