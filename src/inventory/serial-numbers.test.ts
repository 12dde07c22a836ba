import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeholderReason, realSerial } from "./serial-numbers.ts";

describe("placeholders", () => {
  test.each([
    "",
    "   ",
    "0",
    "1",
    "0000",
    "00000000",
    "0001",
    "000000000001",
    "000000000000",
    "FFFFFFFFFFFF",
    "FF:FF:FF:FF:FF:FF",
    "----",
    "123456",
    "12345678",
    "123456789",
    "1234567890",
    "0123456789",
    "0123456789ABCDEF",
    "0123456789abcdef",
    "ABCDEF",
    "00e04c000001",
    "00E04C0001",
    "A50285BI",
    "Espressif_Device",
    "Espressif Device 0",
    "1.0",
    "v1.02",
    "None",
    "N/A",
    "Serial Number",
    "To Be Filled By O.E.M.",
    "deadbeef",
    "caf\u00e9-1234",
    "abc\\u{a}def",
    "\u0000\u0001",
    "abc\uFFFD12",
  ])("%j is none of one unit", (serial) => {
    expect(placeholderReason(serial)).toBeTypeOf("string");
    expect(realSerial(serial)).toBeUndefined();
  });

  test("a copy of the product or manufacturer is none", () => {
    expect(realSerial("USB2.0-Serial", { product: "USB2.0 Serial" })).toBeUndefined();
    expect(realSerial("wch.cn", { manufacturer: "wch.cn" })).toBeUndefined();
  });
});

test.each([
  "082a732ea338ef11bf43317af3d9b1e5",
  "DE03188707",
  "AD02FMB2",
  "A9003tBk",
  "80B54E000000",
  "00:12:4B:00:21:a4:5f:01",
  "D43CE6C091E3",
  "0002",
  "12f7862dde9aef119afab79061ce3355",
  "5435004271",
  "E6605481DB484636",
])("%j is a unit's own", (serial) => {
  expect(realSerial(` ${serial} `, { manufacturer: "Maker", product: "Stick" })).toBe(serial);
});

test("any text is judged without throwing, in no time, and the answer is printable", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 255 }), (serial) => {
      const real = realSerial(serial);
      expect(real === undefined || /^[ -~]+$/.test(real)).toBe(true);
    }),
  );
});
