import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearest } from "./nearest.ts";

test.each([
  ["lables", ["labels", "log", "api"], "labels"],
  ["Interval", ["interval"], "interval"],
  ["graceSecond", ["enabled", "prefix", "graceSeconds"], "graceSeconds"],
  ["kuberentes", ["kubernetes", "labels"], "kubernetes"],
  ["zzz", ["labels", "log", "api"], undefined],
  ["x", ["log", "api"], undefined],
  ["", ["log"], undefined],
  ["labels".repeat(50), ["labels"], undefined],
])("%s", (typed, known, meant) => {
  expect(nearest(typed, known)).toBe(meant);
});

test("a swap of neighbours counts once", () => {
  expect(editDistance("lables", "labels")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
});

test("the distance is symmetric, and zero only for the same word in another case", () => {
  const word = fc.stringMatching(/^[a-c]{0,6}$/);
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
