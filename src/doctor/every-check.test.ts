/** What is asked of every check: to be tested, to keep what is asked of plugins' checks, and to see no fault in nothing. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFactsWorld } from "../../test/fixtures/facts-world.ts";
import { checkProblems } from "../plugins/check-conformance.ts";
import { builtInChecks } from "./checks/built-in-checks.ts";
import { runChecks } from "./run-checks.ts";

describe("every check", () => {
  it.each(builtInChecks.map((check) => [check.id, check] as const))(
    "%s asks for what it reads, and takes darkness for no answer",
    (_id, check) => {
      expect(checkProblems({ apiVersion: 1, name: "built-in", fingerprints: [], checks: [check] })).toEqual([]);
    },
  );

  it("is named in a test", () => {
    const directory = join(import.meta.dirname, "checks");
    const tests = readdirSync(directory)
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => readFileSync(join(directory, name), "utf8"))
      .join("\n");
    expect(builtInChecks.filter(({ id }) => !tests.includes(id))).toEqual([]);
  });

  it("finds nothing wrong on a machine with nothing on it", async () => {
    using world = createFactsWorld();
    const { findings } = runChecks(builtInChecks, await world.gather(builtInChecks));
    expect(findings.filter(({ verdict }) => verdict === "fail")).toEqual([]);
  });
});
