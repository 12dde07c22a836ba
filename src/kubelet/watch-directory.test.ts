import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import { watchDirectory } from "./watch-directory.ts";

function openDirectory(): { readonly path: string; readonly hinted: () => number; readonly settled: () => Promise<void> } {
  const parent = mkdtempSync(join(tmpdir(), "aerial-watch-"));
  const watch = watchDirectory(join(parent, "watched"), systemClock, new AbortController().signal);
  onTestFinished(() => {
    watch[Symbol.dispose]();
    rmSync(parent, { recursive: true });
  });
  let known = watch.hints.current;
  return {
    path: join(parent, "watched"),
    hinted: () => watch.hints.current - known,
    // Hints of inotify come in pieces.
    async settled() {
      await sleep(300);
      known = watch.hints.current;
    },
  };
}

const soon = { timeout: 900, interval: 10 };

test("what comes and goes in it is told at once, and nothing when nothing does", async () => {
  const { path, hinted, settled } = openDirectory();
  mkdirSync(path);
  await expect.poll(hinted, { timeout: 2_000 }).toBeGreaterThan(0);
  await settled();
  await sleep(1_500);
  expect(hinted()).toBe(0);
  writeFileSync(join(path, "kubelet.sock"), "");
  await expect.poll(hinted, soon).toBeGreaterThan(0);
  await settled();
  rmSync(join(path, "kubelet.sock"));
  await expect.poll(hinted, soon).toBeGreaterThan(0);
});

test.each([
  ["removed", (path: string) => rmSync(path, { recursive: true })],
  ["moved away", (path: string) => renameSync(path, `${path}.old`)],
])("a directory that is %s is told of, and what happens in the next one at its place", async (_what, lose) => {
  const { path, hinted, settled } = openDirectory();
  mkdirSync(path);
  await expect.poll(hinted, { timeout: 2_000 }).toBeGreaterThan(0);
  await settled();
  lose(path);
  await expect.poll(hinted, soon).toBeGreaterThan(0);
  await settled();
  mkdirSync(path);
  await expect.poll(hinted, { timeout: 2_000 }).toBeGreaterThan(0);
  await settled();
  writeFileSync(join(path, "kubelet.sock"), "");
  await expect.poll(hinted, soon).toBeGreaterThan(0);
});
