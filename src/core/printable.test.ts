import fc from "fast-check";
import { expect, test } from "vitest";
import { printable, printableJson } from "./printable.ts";

test("text that is safe stays as it is", () => {
  expect(printable("Zigbee-Stick 3.0 „größer“ 居間 👍")).toBe("Zigbee-Stick 3.0 „größer“ 居間 👍");
});

test.each([
  ["\u001b[31m", "\\u{1b}[31m"],
  ["a\r\nb\tc", "a\\u{d}\\u{a}b\\u{9}c"],
  ["\u009b2J", "\\u{9b}2J"],
  ["\u202egnp.exe", "\\u{202e}gnp.exe"],
  ["\u{e0041}", "\\u{e0041}"],
  ["\ud800", "\\u{d800}"],
  ["\u2028", "\\u{2028}"],
])("%j is shown as %s", (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test("what is shown has no character left that acts, and showing it again changes nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(printable(printable(text))).toBe(printable(text));
    }),
  );
});

test("JSON means the same and has nothing left that acts but line feeds", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })), (value) => {
      const text = printableJson(JSON.stringify(value, undefined, 2));
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(text.replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }),
  );
});
