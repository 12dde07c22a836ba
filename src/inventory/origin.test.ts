import { expect, test } from "vitest";
import type { Device } from "../core/device.ts";
import { builtIn, sighted, sonoff, withoutSerial } from "../../test/fixtures/sightings.ts";
import { nearness, toOrigins } from "./origin.ts";

const originOf = (device: Device) => toOrigins([device]).get(device.sysPath);
const placeOf = (sysPath: string, deviceFunction: Device["function"]) => originOf(builtIn(sysPath, deviceFunction).device)?.place.port;

test("a USB stick: ids, real serial number, controller and port", () => {
  const { device } = sighted({ stick: sonoff, port: "1-1.2" });
  expect(originOf(device)).toEqual({
    family: "10c4-ea60",
    serial: sonoff.serial,
    lane: "",
    place: { controller: "devices/pci0000:00/0000:00:14.0", port: "1-1.2" },
  });
  expect(originOf(sighted({ stick: { ...sonoff, serial: "0001" }, port: "1-1" }).device)).not.toHaveProperty("serial");
});

test("before and after its driver is loaded a stick is the same", () => {
  const { device } = sighted({ stick: sonoff, port: "1-1" });
  const { interfaceNumber: _number, ...usb } = device.usb!;
  const bare: Device = { ...device, sysPath: "devices/pci0000:00/0000:00:14.0/usb1/1-1", function: "usb", usb };
  expect(originOf(bare)).toEqual(originOf(device));
});

test("two ports of one stick have lanes; ports that share an interface are told apart by their port number", () => {
  expect(originOf(sighted({ stick: sonoff, port: "1-1", interfaceNumber: 1 }).device)?.lane).toBe("if01");
  const { device } = sighted({ stick: sonoff, port: "1-1", interfaceNumber: 0 });
  expect(originOf({ ...device, byId: "usb-X_Y_1-if00-port1" })?.lane).toBe("p1");
});

test("what nothing else tells apart is numbered by its sysfs path, whatever the order", () => {
  const devices = [9, 10].map((tty) => sighted({ stick: withoutSerial(sonoff), port: "1-1", tty }).device);
  const origins = toOrigins(devices.toReversed());
  expect(devices.map(({ sysPath }) => origins.get(sysPath)?.lane)).toEqual(["", "n2"]);
});

test("built-in devices are known by what does not count up", () => {
  expect(placeOf("devices/pci0000:00/0000:03:00.0/ieee80211/phy3", "wifi")).toBe("devices/pci0000:00/0000:03:00.0");
  expect(placeOf("devices/pci0000:00/0000:03:00.0/ieee80211/attic", "wifi")).toBe("devices/pci0000:00/0000:03:00.0");
  expect(placeOf("devices/virtual/mac80211_hwsim/hwsim1/ieee80211/phy7", "wifi")).toBe("devices/virtual/mac80211_hwsim/hwsim1");
  expect(placeOf("devices/platform/soc/spi0.0/ieee802154/phy0", "ieee802154")).toBe("devices/platform/soc/spi0.0");
  expect(placeOf("devices/platform/soc/serial0/serial0-0/bluetooth/hci1", "bluetooth")).toBe("devices/platform/soc/serial0/serial0-0");
  expect(placeOf("devices/virtual/bluetooth/hci1", "bluetooth")).toBe("devices/virtual/bluetooth/hci1");
  expect(placeOf("devices/platform/soc/fe204000.spi/spi_master/spi0/spi0.1/spidev/spidev0.1", "spi")).toBe("0.1");
});

test("a UART keeps its place when a newer kernel lengthens its path", () => {
  const old = placeOf("devices/platform/soc/fe201000.serial/tty/ttyAMA0", "serial");
  expect(old).toBe("devices/platform/soc/fe201000.serial");
  expect(placeOf("devices/platform/soc/fe201000.serial/fe201000.serial:0/fe201000.serial:0.0/tty/ttyAMA1", "serial")).toBe(old);
  expect(placeOf("devices/pci0/0000:02:00.0/0000:02:00.0:0/0000:02:00.0:0.1/tty/ttyS5", "serial")).toBe("devices/pci0/0000:02:00.0:0.1");
  expect(placeOf("devices/platform/serial8250/tty/ttyS1", "serial")).toBe("devices/platform/serial8250/tty/ttyS1");
});

test("how near two places are", () => {
  const here = { controller: "devices/a", port: "1-1.2" };
  expect(nearness(here, { ...here })).toBe(3);
  expect(nearness(here, { controller: "devices/a", port: "3-1.2" })).toBe(2);
  expect(nearness(here, { controller: "devices/b", port: "1-1.2" })).toBe(1);
  expect(nearness(here, { controller: "devices/a", port: "1-1.3" })).toBe(0);
  expect(nearness(here, { controller: "devices/b", port: "3-1.2" })).toBe(0);
});
