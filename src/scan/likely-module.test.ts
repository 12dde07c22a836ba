import { expect, test } from "vitest";
import type { UsbFacts } from "../core/device.ts";
import { likelyModule } from "./likely-module.ts";

test.each([
  ["10c4:ea60", ["ff/00/00"], "cp210x"],
  ["1a86:7523", ["ff/01/02"], "ch341"],
  ["1a86:55d4", ["02/02/01", "0a/00/00"], "cdc_acm"],
  ["0403:6015", ["ff/ff/ff"], "ftdi_sio"],
  ["067b:2303", ["ff/00/00"], "pl2303"],
  ["0a12:0001", ["e0/01/01", "e0/01/01"], "btusb"],
  ["1cf1:0030", ["02/02/01", "0a/00/00"], "cdc_acm"],
  ["0403:6015", ["03/00/00"], undefined],
  ["0bda:2838", ["ff/ff/ff"], undefined],
] as const)("%s with %j wants %s", (ids, codes, module) => {
  const [vendorId = "", productId = ""] = ids.split(":");
  const interfaces = codes.map((classCode, number) => ({ number, classCode }));
  const usb: UsbFacts = { vendorId, productId, port: "1-1", busNumber: 1, deviceNumber: 2, interfaces };
  expect(likelyModule(usb)).toBe(module);
});
