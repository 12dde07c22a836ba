import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AerialError, hasCode } from "../core/errors.ts";
import { createDevWatch } from "./dev-watch.ts";

function makeDev(): string {
  const root = mkdtempSync(join(tmpdir(), "aerial-watch-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "dev"));
  return join(root, "dev");
}

function startWatch(dev: string): {
  readonly seen: { listening: number; hints: number };
  readonly ended: Promise<void>;
  stop(this: void): void;
} {
  const lifetime = new AbortController();
  const seen = { listening: 0, hints: 0 };
  const ended = createDevWatch(dev).run({ listening: () => (seen.listening += 1), hint: () => (seen.hints += 1) }, lifetime.signal);
  const stop = (): void => lifetime.abort(new AerialError("internal.abort", "the test is over"));
  onTestFinished(stop);
  return { seen, ended, stop };
}

test("a node that comes and one that goes are hints, a write is not", async () => {
  const dev = makeDev();
  writeFileSync(join(dev, "null"), "");
  const { seen, ended, stop } = startWatch(dev);
  expect(seen.listening).toBe(1);
  writeFileSync(join(dev, "null"), "written");
  writeFileSync(join(dev, "ttyUSB0"), "");
  await expect.poll(() => seen.hints).toBe(1);
  rmSync(join(dev, "ttyUSB0"));
  await expect.poll(() => seen.hints).toBe(2);
  stop();
  await ended;
});

test("after it stopped it says nothing", async () => {
  const dev = makeDev();
  const { seen, ended, stop } = startWatch(dev);
  stop();
  await ended;
  const other = startWatch(dev);
  writeFileSync(join(dev, "ttyUSB0"), "");
  await expect.poll(() => other.seen.hints).toBe(1);
  expect(seen.hints).toBe(0);
});

test("a directory that is replaced ends the watch, so that it can be run anew", async () => {
  const dev = makeDev();
  const { ended } = startWatch(dev);
  mkdirSync(`${dev}.new`);
  rmSync(dev, { recursive: true });
  renameSync(`${dev}.new`, dev);
  await expect(ended).rejects.toSatisfy((error) => hasCode(error, "host.read"));
  const again = startWatch(dev);
  writeFileSync(join(dev, "ttyUSB0"), "");
  await expect.poll(() => again.seen.hints).toBe(1);
});

test("no directory is a coded error", async () => {
  await expect(startWatch("/nowhere/dev").ended).rejects.toSatisfy((error) => hasCode(error, "host.read"));
});
