import fc from "fast-check";
import { expect, test } from "vitest";
import { decodePrintable, longestText, toPrintable } from "./decode-text.ts";

test.each([
  ["Sonoff Zigbee 3.0 USB Dongle Plus", "Sonoff Zigbee 3.0 USB Dongle Plus"],
  ["dresden elektronik – ConBée 日本 😀", "dresden elektronik – ConBée 日本 😀"],
  ["a\nb\r\tc\0", "a\u{fffd}b\u{fffd}\u{fffd}c\u{fffd}"],
  ["\u001b[31mred\u001b[0m", "\u{fffd}[31mred\u{fffd}[0m"],
  ["c1 \u0085\u009b", "c1 \u{fffd}\u{fffd}"],
  ["bidi \u202e\u2066\u200f", "bidi \u{fffd}\u{fffd}\u{fffd}"],
  ["invisible \u200b\u{feff}\u{e0041}", "invisible \u{fffd}\u{fffd}\u{fffd}"],
  ["lines \u2028\u2029", "lines \u{fffd}\u{fffd}"],
  ["half \ud800 pair", "half \u{fffd} pair"],
])("%j becomes %j", (text, printable) => {
  expect(toPrintable(text)).toBe(printable);
});

test("bytes that are no UTF-8 become U+FFFD", () => {
  expect(decodePrintable(Uint8Array.of(0x61, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80))).toMatch(/^a\u{fffd}+\(\u{fffd}+$/u);
});

test("long text is cut between characters", () => {
  expect(toPrintable("x".repeat(300))).toBe("x".repeat(255));
  expect(toPrintable(`x${"😀".repeat(200)}`)).toBe(`x${"😀".repeat(127)}`);
  expect(toPrintable("😀".repeat(200))).toBe("😀".repeat(127));
});

test("whatever the bytes, the text is short, well-formed, free of controls and left as it is the second time", () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 400 }), fc.string({ unit: "grapheme", maxLength: 400 }));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    text.map((each) => Buffer.from(each)),
  );
  fc.assert(
    fc.property(bytes, (input) => {
      const printable = decodePrintable(input);
      expect(printable.length).toBeLessThanOrEqual(longestText);
      expect(printable).not.toMatch(/\p{Cs}/u);
      // eslint-disable-next-line no-control-regex
      expect(printable).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/);
      expect(toPrintable(printable)).toBe(printable);
    }),
  );
});
