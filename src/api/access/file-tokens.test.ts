import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { createConditions } from "../../core/condition.ts";
import { silentLog } from "../../core/log.ts";
import { openFileTokens, type TokenFile } from "./file-tokens.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});
const temporaryDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "aerial-tokens-"));
  directories.push(directory);
  return directory;
};

const first = "first-token-0123456789";
const second = "second-token-0123456789";

async function open(tokens: readonly TokenFile[]) {
  const clock = createManualClock();
  const conditions = createConditions(clock);
  const files = await openFileTokens({ tokens, clock, conditions, log: silentLog });
  return { files, conditions, clock };
}

test("each token is its own, to the letter", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "a"), `${first}\n`);
  writeFileSync(join(directory, "b"), second);
  const { files, conditions } = await open([
    { name: "a", role: "viewer", file: join(directory, "a") },
    { name: "b", role: "operator", file: join(directory, "b") },
  ]);
  expect(await files.find(first)).toEqual({ name: "a", role: "viewer" });
  expect(await files.find(second)).toEqual({ name: "b", role: "operator" });
  for (const wrong of ["", first.slice(0, -1), `${first}0`, first.toUpperCase(), `${first} `])
    expect(await files.find(wrong)).toBeUndefined();
  expect(conditions.current.size).toBe(0);
});

test.each([
  ["too short", "0123456789abcde", "fewer than 16 characters"],
  ["empty", "", "fewer than 16 characters"],
  ["blanks within", "0123456789 abcdef", "blanks"],
  ["not text", "\u0000".repeat(32), "blanks"],
  ["not ASCII", "ä".repeat(32), "blanks"],
  ["endless", "a".repeat(100_000), "more than 4096 characters"],
])("a file that is %s is a condition, and no token", async (_what, text, why) => {
  const file = join(temporaryDirectory(), "a");
  writeFileSync(file, text);
  const { files, conditions } = await open([{ name: "a", role: "viewer", file }]);
  expect(await files.find(text.trim())).toBeUndefined();
  expect(await files.find("")).toBeUndefined();
  expect(conditions.current.get("api.token.a")).toMatchObject({ severity: "error", text: expect.stringContaining(why) as string });
  expect(conditions.current.get("api.token.a")?.text).not.toContain(text.trim().slice(0, 8) || "nothing");
});

test("a missing file does not keep the others out, and is taken once it is there", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "b"), second);
  const { files, conditions, clock } = await open([
    { name: "a", role: "operator", file: join(directory, "a") },
    { name: "b", role: "viewer", file: join(directory, "b") },
  ]);
  expect(await files.find(second)).toMatchObject({ name: "b" });
  expect(conditions.current.get("api.token.a")?.text).toContain("ENOENT");
  writeFileSync(join(directory, "a"), first);
  expect(await files.find(first)).toBeUndefined();
  await clock.advance(1_000);
  expect(await files.find(first)).toMatchObject({ name: "a" });
  expect(conditions.current.size).toBe(0);
});

test("a Secret that the kubelet changes: the new token holds, the old one no more", async () => {
  // As the kubelet's atomic writer does: files in a dated directory, `..data` pointing to it, links to files below that.
  const volume = temporaryDirectory();
  const put = (name: string, text: string): void => {
    mkdirSync(join(volume, name));
    writeFileSync(join(volume, name, "token"), text);
    symlinkSync(name, join(volume, "..data_tmp"));
    renameSync(join(volume, "..data_tmp"), join(volume, "..data"));
  };
  put("..one", first);
  symlinkSync("..data/token", join(volume, "token"));
  const { files, clock } = await open([{ name: "a", role: "viewer", file: join(volume, "token") }]);
  expect(await files.find(first)).toMatchObject({ name: "a" });
  put("..two", second.slice(0, first.length));
  await clock.advance(1_000);
  expect(await files.find(first)).toBeUndefined();
  expect(await files.find(second.slice(0, first.length))).toMatchObject({ name: "a" });
});

test("to take the file away is to take the token back", async () => {
  const file = join(temporaryDirectory(), "a");
  writeFileSync(file, first);
  const { files, conditions, clock } = await open([{ name: "a", role: "viewer", file }]);
  expect(await files.find(first)).toBeDefined();
  rmSync(file);
  await clock.advance(1_000);
  expect(await files.find(first)).toBeUndefined();
  expect(conditions.current.has("api.token.a")).toBe(true);
});
