import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { listDeviceNodes } from "./device-nodes.ts";

test("nodes go by name; directories are none", () => {
  const root = mkdtempSync(join(tmpdir(), "aerial-dev-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "bus/usb/001"), { recursive: true });
  mkdirSync(join(root, "ttyUSB1"));
  for (const name of ["ttyUSB0", "bus/usb/001/002"]) writeFileSync(join(root, name), "");
  symlinkSync("nowhere", join(root, "bus/usb/001/003"));
  const nodes = listDeviceNodes(root);
  expect(["ttyUSB0", "bus/usb/001/002", "bus/usb/001/003"].map((name) => nodes.has(name))).toEqual([true, true, true]);
  expect(["ttyUSB1", "ttyUSB2", "bus", "bus/usb/002/002", "ttyUSB0/x"].map((name) => nodes.has(name))).toEqual(Array(5).fill(false));
  expect(nodes.unreadable).toBeUndefined();
});

test("the machine's own nodes are found", () => {
  expect(listDeviceNodes("/dev").has("null")).toBe(true);
});

test("where /dev cannot be listed, no node is called absent", () => {
  const nodes = listDeviceNodes("/nowhere/dev");
  expect(nodes.unreadable).toBe("/nowhere/dev cannot be listed");
  expect(nodes.has("ttyUSB0")).toBe(true);
});
