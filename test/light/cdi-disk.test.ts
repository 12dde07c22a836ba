/** CDI files on real file systems that are full or read-only, each in a mount namespace of its own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "aerial-cdi-disk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const script = new URL("../fixtures/cdi-disk.ts", import.meta.url).pathname;
const [a, b] = ["a", "b"].map((id) => `radio.mi.house-radio_${id}.json`) as [string, string];

test.each([
  ["full", "ENOSPC"],
  ["read-only", "EROFS"],
])("%s: what is written stays whole, a condition says why, and all is written once it can be", (scenario, errno) => {
  const command = ["-rm", process.execPath, "--conditions=source", script, scenario, folder];
  expect(JSON.parse(execFileSync("unshare", command, { encoding: "utf8" }))).toEqual({
    during: {
      files: { [a]: "188:0" },
      condition: expect.stringMatching(new RegExp(`cannot write the CDI file .* \\(${errno}\\).*; mount`)),
    },
    after: { files: { [a]: "188:1", [b]: "188:2" }, condition: "none" },
  });
});
