import fc from "fast-check";
import { expect, it } from "vitest";
import { readTextRecord } from "./text-record.ts";

function data(...strings: readonly (string | readonly number[])[]): Uint8Array {
  return Buffer.concat(
    strings
      .map((one) => (typeof one === "string" ? Buffer.from(one) : Buffer.from(one)))
      .flatMap((one) => [Buffer.from([one.length]), one]),
  );
}

it.each([
  ["keys in lower case, the first of a kind", data("Radio_Type=znp", "RADIO_TYPE=ezsp", "v="), { radio_type: "znp", v: "" }],
  ["keys without a value", data("flag", "=nothing", "a=b=c"), { flag: "", a: "b=c" }],
  [
    "UTF-8, and bytes that are no text as digits",
    data("nn=Küche", [0x62, 0x3d, 0xff, 0x00], [0x63, 0x3d, 0x07]),
    { nn: "Küche", b: "0xff00", c: "0x07" },
  ],
  ["keys that are none left out", data([0x01, 0x3d, 0x61], "__proto__=x", "", "a".repeat(65)), {}],
  ["nothing after a string that is cut off", Uint8Array.of(3, 0x61, 0x3d, 0x62, 9, 0x61), { a: "b" }],
])("reads %s", (_what, bytes, pairs) => {
  expect(readTextRecord(bytes, "_x._tcp")).toEqual(pairs);
});

it("gives the bytes of a Thread border agent as digits, even where they look like text", () => {
  expect(readTextRecord(data("xa=ABCDEFGH", "nn=home"), "_meshcop._udp")).toEqual({ xa: "4142434445464748", nn: "home" });
});

it("never throws, and keeps what it gives within bounds", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const pairs = Object.entries(readTextRecord(bytes, "_x._tcp"));
      expect(pairs.length).toBeLessThanOrEqual(64);
      expect(pairs.every(([key, value]) => /^[ -~]{1,64}$/.test(key) && key === key.toLowerCase() && value.length <= 512)).toBe(true);
    }),
  );
});
