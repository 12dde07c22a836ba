import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createSysfs, judgeReadError, type Sysfs } from "./sysfs.ts";

function makeSysfs(): { readonly root: string; readonly sysfs: Sysfs; readonly denied: string[] } {
  const root = mkdtempSync(join(tmpdir(), "aerial-sysfs-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const denied: string[] = [];
  return { root, denied, sysfs: createSysfs(root, (path) => denied.push(path)) };
}

test("attributes come without sysfs' newline, and no longer than a page", () => {
  const { root, sysfs } = makeSysfs();
  writeFileSync(join(root, "product"), "two\nlines\n\n");
  writeFileSync(join(root, "big"), "x".repeat(10_000));
  expect(Buffer.from(sysfs.bytes("product") ?? []).toString()).toBe("two\nlines\n");
  expect(sysfs.text("product")).toBe("two\u{fffd}lines\u{fffd}");
  expect(sysfs.bytes("big")).toHaveLength(4096);
});

test("a later read leaves the bytes of an earlier one alone", () => {
  const { root, sysfs } = makeSysfs();
  writeFileSync(join(root, "a"), "first\n");
  writeFileSync(join(root, "b"), "other\n");
  const first = sysfs.bytes("a");
  sysfs.bytes("b");
  expect(Buffer.from(first ?? []).toString()).toBe("first");
});

test.each([
  ["10", 10, 10],
  ["0a", 16, 10],
  ["0x10", 16, 16],
  [" 1", 10, 1],
  ["-1", 10, undefined],
  ["1e3", 10, undefined],
  ["99999999999", 10, undefined],
  ["", 16, undefined],
] as const)("number %j in base %i is %s", (text, radix, value) => {
  const { root, sysfs } = makeSysfs();
  writeFileSync(join(root, "n"), `${text}\n`);
  expect(sysfs.number("n", radix)).toBe(value);
});

test("what is not there is undefined or empty, not an error", () => {
  const { root, sysfs, denied } = makeSysfs();
  mkdirSync(join(root, "directory"));
  writeFileSync(join(root, "file"), "");
  symlinkSync("nowhere", join(root, "dangling"));
  expect([sysfs.bytes("x"), sysfs.bytes("file/x"), sysfs.bytes("directory"), sysfs.bytes("dangling")]).toEqual(Array(4).fill(undefined));
  expect([sysfs.list("x"), sysfs.list("file")]).toEqual([[], []]);
  expect([sysfs.linkName("file"), sysfs.resolve("dangling")]).toEqual([undefined, undefined]);
  expect(sysfs.linkName("dangling")).toBe("nowhere");
  expect(denied).toEqual([]);
});

test("links are followed within the tree only", () => {
  const { root, sysfs } = makeSysfs();
  mkdirSync(join(root, "devices/a"), { recursive: true });
  mkdirSync(join(root, "class"));
  symlinkSync("../devices/a", join(root, "class/a"));
  symlinkSync("/etc", join(root, "class/out"));
  expect(sysfs.resolve("class/a")).toBe("devices/a");
  expect(sysfs.resolve("class/out")).toBeUndefined();
});

test.each([
  ["ENOENT", "absent"],
  ["ENODEV", "absent"],
  ["EIO", "absent"],
  ["EACCES", "denied"],
  ["EPERM", "denied"],
  ["EMFILE", "failed"],
  ["ENOMEM", "failed"],
] as const)("%s means %s", (code, verdict) => {
  expect(judgeReadError(Object.assign(new Error("x"), { code }))).toBe(verdict);
});

test("an error that is no system error is never taken for absence", () => {
  expect(judgeReadError(new TypeError("bug"))).toBe("failed");
});

test("any bytes give printable text or nothing", () => {
  const { root, sysfs } = makeSysfs();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      writeFileSync(join(root, "attribute"), bytes);
      // eslint-disable-next-line no-control-regex
      expect(sysfs.text("attribute")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
    { numRuns: 50 },
  );
});
