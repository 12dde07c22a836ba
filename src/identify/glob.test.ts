import fc from "fast-check";
import { expect, it } from "vitest";
import { fitsGlob } from "./glob.ts";

it.each([
  ["znp", "ZNP", true],
  ["znp", "znp2", false],
  ["", "", true],
  ["*", "", true],
  ["tube*", "TubesZB-2652P", true],
  ["*zigstar*", "my ZigStar GW", true],
  ["*zigstar*", "zigsta", false],
  ["a*a", "a", false],
  ["a*b*c", "a--b--c", true],
  ["a*b*c", "a--c--b", false],
  ["a.c", "abc", false],
  ["É*", "été", false],
])("%s and %s: %s", (glob, text, fits) => {
  expect(fitsGlob(glob, text)).toBe(fits);
});

it("agrees with the regular expression that means the same", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "A", "*"), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (glob, text) => {
      const expression = new RegExp(`^${glob.replaceAll("*", "[^]*")}$`, "i");
      expect(fitsGlob(glob, text)).toBe(expression.test(text));
    }),
  );
});
