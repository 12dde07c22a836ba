import fc from "fast-check";
import { expect, test } from "vitest";
import { parseParent } from "./processes.ts";

test("the parent of a process whose name is all brackets and blanks", () => {
  expect(parseParent("4711 (a) R 1 (b) S 23 4711 4711 0 -1")).toBe(23);
  expect(parseParent("1 (init) S 0 1 1 0 -1")).toBeUndefined();
  expect(parseParent("")).toBeUndefined();
});

test("any name, any bytes", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 15 }), fc.integer({ min: 1, max: 4_194_304 }), (name, parent) => {
      expect(parseParent(`9 (${name}) S ${parent} 9 9 0 -1 4194560`)).toBe(parent);
    }),
  );
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseParent(text)));
});
