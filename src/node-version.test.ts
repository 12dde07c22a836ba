import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { oldestNode, tooOld } from "./node-version.ts";

test("is what package.json asks for", () => {
  const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    readonly engines: { readonly node: string };
  };
  expect(engines.node).toBe(`>=${oldestNode.join(".")}`);
});

test.each(["20.18.3", "18.20.8", "8.0.0"])("%s is too old, which is said", (version) => {
  expect(tooOld(version)).toMatch(new RegExp(`^aerial needs Node 20\\.19 or newer, and this is ${version};`));
});

test.each(["20.19.0", "22.0.0", "22.23.3", "24.21.0", "26.0.0"])("%s will do", (version) => {
  expect(tooOld(version)).toBeUndefined();
});
