import fc from "fast-check";
import { expect, test } from "vitest";
import { toDeviceName } from "./device-name.ts";

test.each([
  ["10c4-ea60-0001", "10c4-ea60-0001"],
  ["10c4-ea60-ABC", "10c4-ea60-abc-x"],
  ["1a86-7523-n1-1-1.2", "1a86-7523-n1-1-1-2-x"],
  ["a".repeat(63), "a".repeat(63)],
  ["A".repeat(63), `${"a".repeat(45)}-x`],
  ["__", "x"],
  ["b-x0123456789abcdef", "b-x0123456789abcdef-x"],
])("%s begins with %s", (id, start) => {
  const name = toDeviceName(id);
  expect(name.startsWith(start)).toBe(true);
  expect(name).toBe(name === id ? start : `${start}${name.slice(-16)}`);
});

test("is a DNS label for any id, and no two ids have the same", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[aA.-]{1,63}$/)), { maxLength: 50 }), (ids) => {
      const names = ids.map(toDeviceName);
      expect(new Set(names).size).toBe(ids.length);
      for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
    }),
  );
});

test("an id that is made to look like another's name has another name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (id) => {
      const name = toDeviceName(id);
      if (name !== id) expect(toDeviceName(name)).not.toBe(name);
    }),
  );
});
