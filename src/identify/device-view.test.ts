import fc from "fast-check";
import { expect, it } from "vitest";
import type { Device, UsbFacts } from "../core/device.ts";
import { toDeviceView, toUsbName } from "./device-view.ts";

const usb: UsbFacts = { vendorId: "1a86", productId: "7523", port: "1-1", busNumber: 1, deviceNumber: 2, interfaces: [] };
const device: Device = { sysPath: "a", function: "serial", nodes: [] };

it("makes the same name of strings and of the by-id name that udev makes of them", () => {
  const strings = toDeviceView({ ...device, usb: { ...usb, manufacturer: "Arduino (www.arduino.cc)", product: "Due Prog. Port" } });
  const byId = toDeviceView({ ...device, byId: "usb-Arduino__www.arduino.cc__Due_Prog._Port-if00" });
  expect(strings.name).toBe("Arduino www.arduino.cc Due Prog. Port");
  expect(byId.name).toBe(strings.name);
});

it("replaces strings that the device does not give by its ids, as udev does", () => {
  expect(toDeviceView({ ...device, usb }).name).toBe("1a86 7523");
  expect(toDeviceView({ ...device, usb: { ...usb, product: "USB Serial" } }).name).toBe("1a86 USB Serial");
});

it("reads ids, interface and name out of a by-id name", () => {
  expect(toDeviceView({ ...device, byId: "usb-0658_0200-if00" })).toMatchObject({
    vendorId: "0658",
    productId: "0200",
    interfaceNumber: 0,
    name: "0658 0200",
  });
  expect(toDeviceView({ ...device, byId: "usb-1a86_USB_Serial-if0a-port0" })).toMatchObject({
    vendorId: "1a86",
    interfaceNumber: 10,
    name: "1a86 USB Serial",
  });
  expect(toDeviceView({ ...device, byId: "usb-1a86_USB_Serial-if00-port0" })).not.toHaveProperty("productId");
});

it("fills in from the by-id name what the strings lack", () => {
  const view = toDeviceView({ ...device, usb: { ...usb, manufacturer: "SONOFF" }, byId: "usb-SONOFF_Dongle_Plus_MG24_12f7-if00-port0" });
  expect(view).toMatchObject({ name: "SONOFF Dongle Plus MG24 12f7", vendorId: "1a86", interfaceNumber: 0 });
});

it("takes no name from a by-id name that is not of USB", () => {
  expect(toDeviceView({ ...device, byId: "pci-0000:00" })).toEqual({ device: { ...device, byId: "pci-0000:00" } });
});

it("keeps names short, printable and in one line, whatever the strings hold", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
      const name = toUsbName(text);
      expect(name.length).toBeLessThanOrEqual(255);
      expect(name).toMatch(/^(?:[\p{L}\p{N}#+\-.:=@]+(?: |$))*$/u);
    }),
    { numRuns: 40 },
  );
});
