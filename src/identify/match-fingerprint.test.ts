import { describe, expect, it } from "vitest";
import type { Device } from "../core/device.ts";
import type { FingerprintMatch } from "../sdk/plugin.ts";
import { toDeviceView } from "./device-view.ts";
import { claimsOf, scoreOf } from "./match-fingerprint.ts";

const device: Device = {
  sysPath: "a",
  function: "serial",
  driver: "cp210x",
  nodes: [{ path: "/dev/ttyUSB3", major: 188, minor: 3 }],
  usb: {
    vendorId: "10c4",
    productId: "ea60",
    manufacturer: "Acme",
    product: "Stick",
    serial: "ABC123",
    port: "1-1",
    busNumber: 1,
    deviceNumber: 2,
    interfaceNumber: 1,
    interfaces: [{ number: 1, classCode: "ff/00/00" }],
  },
  platform: { compatible: ["acme,board", "acme,family"], board: "Acme Board 2" },
  wifi: { phy: "phy0", interfaces: [], accessPoint: true },
};

function fits(match: FingerprintMatch, of: Device = device): boolean {
  return claimsOf({ name: "test", fingerprints: [{ id: "row", match, says: "is-not", source: "test" }] }, toDeviceView(of)).length === 1;
}

describe("each condition", () => {
  const cases: readonly (readonly [FingerprintMatch, FingerprintMatch])[] = [
    [{ function: "serial" }, { function: ["spi", "usb"] }],
    [{ vendorId: "10c4" }, { vendorId: "10c5" }],
    [{ productId: "ea60" }, { productId: "ea70" }],
    [{ usbIds: ["0000:0000", "10c4:ea60"] }, { usbIds: ["10c4:ea70"] }],
    [{ name: /^acme stick$/i }, { name: /^stick/i }],
    [{ manufacturer: /^acme$/i }, { manufacturer: /stick/i }],
    [{ product: /^stick$/i }, { product: /acme/i }],
    [{ serial: /^abc/i }, { serial: /^123/ }],
    [{ interfaceNumber: 1 }, { interfaceNumber: 0 }],
    [{ interfaceClass: "ff/00/00" }, { interfaceClass: "e0/01/01" }],
    [{ driver: "cp210x" }, { driver: ["ch341", "cdc_acm"] }],
    [{ node: /USB3$/ }, { node: /ACM/ }],
    [{ compatible: ["x", "acme,family"] }, { compatible: "acme" }],
    [{ board: /board 2/i }, { board: /board 3/i }],
    [
      { accessPoint: true, function: "serial" },
      { accessPoint: false, function: "serial" },
    ],
  ];
  it.each(cases)("%o fits and %o does not", (fitting, unfitting) => {
    expect(fits(fitting)).toBe(true);
    expect(fits(unfitting)).toBe(false);
    expect(fits({ ...fitting, ...unfitting })).toBe(false);
  });

  it("does not hold for what the device does not show", () => {
    const bare: Device = { sysPath: "b", function: "serial", nodes: [] };
    for (const [match] of cases.slice(1)) expect(fits({ ...match, function: "serial" }, bare)).toBe(false);
  });
});

it("lets words stand for ids that nothing shows, but never ids for themselves", () => {
  const byIdOnly: Device = { sysPath: "c", function: "serial", nodes: [], byId: "usb-Acme_Stick_1-if00-port0" };
  expect(fits({ vendorId: "10c4", productId: "ea60", name: /^acme stick/i }, byIdOnly)).toBe(true);
  expect(fits({ usbIds: ["10c4:ea60"], name: /^acme stick/i }, byIdOnly)).toBe(true);
  expect(fits({ vendorId: "10c4" }, byIdOnly)).toBe(false);
  expect(fits({ usbIds: ["10c4:ea60"] }, byIdOnly)).toBe(false);
});

it("does not remember earlier searches of an expression with the flag g", () => {
  const match = { name: /acme/gi };
  expect([fits(match), fits(match), fits(match)]).toEqual([true, true, true]);
});

it("weighs any string above all ids, more above less, and the kernel above a name", () => {
  const ids = scoreOf({ vendorId: "10c4", productId: "ea60", interfaceNumber: 1 });
  const words = scoreOf({ name: /a/ });
  expect(words).toBeGreaterThan(ids);
  expect(scoreOf({ name: /a/, vendorId: "10c4" })).toBeGreaterThan(words);
  expect(scoreOf({ function: "bluetooth" })).toBeGreaterThan(words);
  expect(scoreOf({ function: "serial", name: /a/ })).toBe(words);
  expect(scoreOf({ usbIds: ["10c4:ea60"] })).toBe(scoreOf({ vendorId: "10c4", productId: "ea60" }));
});
