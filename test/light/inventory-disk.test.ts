/** The inventory on real file systems that are full or read-only, each in a mount namespace of its own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "aerial-disk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const script = new URL("../fixtures/inventory-disk.ts", import.meta.url).pathname;

function run(scenario: "full" | "read-only"): unknown {
  const output = execFileSync("unshare", ["-rm", process.execPath, "--conditions=source", script, scenario, folder], { encoding: "utf8" });
  return JSON.parse(output);
}

test("a full disk: the snapshot goes on, nothing is lost, and all is written once there is room", () => {
  const seen = run("full") as {
    readonly while: { readonly revision: number; readonly stored: number; readonly newest: number; readonly text: string };
    readonly after: { readonly revision: number };
    readonly reopened: { readonly sequences: readonly number[]; readonly types: readonly string[] };
  };
  expect(seen.while).toMatchObject({ codes: ["inventory.not-stored"], name: "attic", deviceNumber: 202 });
  expect(seen.while.text).toMatch(/full/);
  expect(seen.while.stored).toBeLessThan(203);
  // What waits for the disk has no place in the history yet: whoever follows live is told of it only then.
  expect(seen.while.newest).toBe(seen.while.stored);
  expect(seen.after).toEqual({ codes: [], newest: 203, revision: seen.while.revision + 1, again: seen.while.revision + 1 });
  expect(seen.reopened).toMatchObject({ name: "attic" });
  expect(seen.reopened.types).toEqual(["attached", "identified", ...Array.from({ length: 200 }, () => "reattached"), "named"]);
  expect(seen.reopened.sequences).toEqual(seen.reopened.types.map((_type, index) => index + 1));
});

test("a read-only disk: what was known is known, the rest lives in memory under another history", () => {
  expect(run("read-only")).toEqual({
    unwritten: { codes: ["inventory.not-stored"], radios: ["10c4-ea60-7a43d3a954a2ef11"], history: 2 },
    frozen: { name: "attic", newest: "detached", otherHistory: true, codes: ["inventory.not-stored"] },
    thawed: { presence: "absent", detached: 1, sameHistory: true, codes: [] },
  });
});
