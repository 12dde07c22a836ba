import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import { createUsbStringReader } from "./usb-strings.ts";

function makeReader(deadlineMs: number): { readonly root: string; readonly reader: ReturnType<typeof createUsbStringReader> } {
  const root = mkdtempSync(join(tmpdir(), "aerial-strings-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return { root, reader: createUsbStringReader({ root, clock: systemClock, deadlineMs }) };
}

function addDevice(root: string, name: string, product: string): void {
  mkdirSync(join(root, name));
  writeFileSync(join(root, name, "product"), `${product}\n`);
}

const ignore = (): void => {};

const textOf = (strings: unknown): unknown =>
  typeof strings === "object" && strings !== null && "product" in strings ? Buffer.from(strings.product as Uint8Array).toString() : strings;

test("strings are remembered for one enumeration", async () => {
  const { root, reader } = makeReader(5_000);
  addDevice(root, "1-1", "first");
  expect(textOf(await reader.read("1-1", "1.2", ignore))).toBe("first");
  writeFileSync(join(root, "1-1/product"), "second\n");
  expect(textOf(await reader.read("1-1", "1.2", ignore))).toBe("first");
  expect(textOf(await reader.read("1-1", "1.3", ignore))).toBe("second");
});

test("another directory of the same name and number is another device", async () => {
  const { root, reader } = makeReader(5_000);
  addDevice(root, "1-1", "first");
  await reader.read("1-1", "1.2", ignore);
  // Made before the old one goes, so that it cannot get its inode.
  addDevice(root, "staged", "second");
  rmSync(join(root, "1-1"), { recursive: true });
  execFileSync("mv", [join(root, "staged"), join(root, "1-1")]);
  expect(textOf(await reader.read("1-1", "1.2", ignore))).toBe("second");
});

test("missing strings are missing, and a device that is gone has none", async () => {
  const { root, reader } = makeReader(5_000);
  addDevice(root, "1-1", "only this");
  expect(Object.keys((await reader.read("1-1", "1.2", ignore)) as object)).toEqual(["product"]);
  expect(await reader.read("1-9", "1.9", ignore)).toEqual({});
});

test("locked devices are given up after the deadline, hold up no other, and answer later", async () => {
  const { root, reader } = makeReader(200);
  // Opening a pipe without a writer blocks a thread, as a device's lock does.
  mkdirSync(join(root, "1-1"));
  const pipe = join(root, "1-1/product");
  execFileSync("mkfifo", [pipe]);
  addDevice(root, "1-2", "free");
  const [locked, free] = await Promise.all([reader.read("1-1", "1.2", ignore), reader.read("1-2", "1.3", ignore)]);
  expect([locked, textOf(free)]).toEqual(["busy", "free"]);
  expect(await reader.read("1-1", "1.2", ignore)).toBe("busy");
  spawn("sh", ["-c", `echo late > ${pipe}`]);
  await expect.poll(async () => textOf(await reader.read("1-1", "1.2", ignore)), { timeout: 5_000 }).toBe("late");
});

test("with two devices locked, the thread pool still has room for others", async () => {
  const { root, reader } = makeReader(100);
  for (const name of ["1-1", "1-2", "1-3"]) {
    mkdirSync(join(root, name));
    execFileSync("mkfifo", [join(root, name, "product")]);
  }
  onTestFinished(async () => {
    for (const name of ["1-1", "1-2", "1-3"]) {
      spawn("sh", ["-c", `echo > ${join(root, name, "product")}`]);
      await reader.read(name, "1", ignore);
    }
  });
  expect(await Promise.all(["1-1", "1-2", "1-3"].map((name) => reader.read(name, "1", ignore)))).toEqual(["busy", "busy", "busy"]);
  const { readFile } = await import("node:fs/promises");
  expect(await readFile("/proc/self/comm", "utf8")).not.toBe("");
});
