import { expect, test } from "vitest";
import { joinLabelTexts, toLabelText } from "./label-text.ts";

test.for<readonly [string, string]>([
  ["ConBee II", "ConBee-II"],
  ["Dongle Plus (P)", "Dongle-Plus-P"],
  ["--a__b..", "a__b"],
  ["Sîlicon Läbs", "Silicon-Labs"],
  ["日本", ""],
  ["a\u0000\u001b[31mb", "a-31mb"],
  ["x".repeat(62) + "--y", "x".repeat(62)],
])("%j becomes %j", ([text, expected]) => {
  expect(toLabelText(text)).toBe(expected);
});

test("several are joined, each once, as long as they fit", () => {
  expect(joinLabelTexts([])).toBe("");
  expect(joinLabelTexts(["日本"])).toBe("");
  expect(joinLabelTexts(["b", "a", "b"])).toBe("a_b");
  expect(joinLabelTexts(["x".repeat(25), "y".repeat(25), "z".repeat(25)])).toBe(`${"x".repeat(25)}_${"y".repeat(25)}_and-1-more`);
  expect(joinLabelTexts(["x".repeat(70), "y".repeat(70)])).toBe(`${"x".repeat(52)}_and-1-more`);
});
