import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createManualClock } from "../../test/fixtures/manual-clock.ts";
import { Cell } from "../core/cell.ts";
import { systemClock } from "../core/clock.ts";
import { runFileFollower } from "./follow-file.ts";

/** Less than what the timer of a watched file takes. */
const soonMs = 5_000;

let directory: string;
let file: string;
let ended: Promise<void> | undefined;
const stop = { controller: new AbortController() };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "aerial-follow-"));
  file = join(directory, "rules.yaml");
  stop.controller = new AbortController();
});
afterEach(async () => {
  stop.controller.abort(new TypeError("over"));
  await ended;
  rmSync(directory, { recursive: true, force: true });
});

/** Follows the file; `seen` is what each look found in it. */
function follow({ clock = systemClock, good = (): boolean => true } = {}) {
  const seen: string[] = [];
  const asked = new Cell(0);
  const look = (): boolean => {
    try {
      seen.push(readFileSync(file, "utf8"));
      return good();
    } catch {
      seen.push("unreadable");
      return false;
    }
  };
  ended = runFileFollower({ file, clock, asked, look }, stop.controller.signal);
  return { seen, asked, sees: (text: string) => vi.waitFor(() => expect(seen.at(-1)).toBe(text), { timeout: soonMs, interval: 10 }) };
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

test("a file is looked at from the start, and after it was written or replaced", async () => {
  writeFileSync(file, "one");
  const { seen, sees } = follow();
  await sees("one");
  writeFileSync(file, "two");
  await sees("two");
  replace(file, "three");
  await sees("three");
  appendFileSync(file, " and more");
  await sees("three and more");
  expect(seen).toEqual(["one", "two", "three", "three and more"]);
});

test("one that is written in steps is read when it is whole", async () => {
  writeFileSync(file, "before");
  const { seen, sees } = follow();
  await sees("before");
  truncateSync(file);
  for (const part of ["a", "b", "c"]) {
    await sleep(30);
    appendFileSync(file, part);
  }
  await sees("abc");
  expect(seen).toEqual(["before", "abc"]);
});

test("one that goes and comes is looked at each time, and so is one that may not be read", async () => {
  const { seen, sees } = follow();
  await sees("unreadable");
  writeFileSync(file, "there");
  await sees("there");
  rmSync(file);
  await sees("unreadable");
  writeFileSync(file, "again");
  await sees("again");
  const looks = seen.length;
  chmodSync(file, 0o200);
  await vi.waitFor(() => expect(seen.length).toBeGreaterThan(looks), { timeout: soonMs });
});

test("the directory may come later", async () => {
  file = join(directory, "later", "rules.yaml");
  const { sees } = follow();
  await sees("unreadable");
  mkdirSync(join(directory, "later"));
  writeFileSync(file, "there");
  await sees("there");
});

test("a ConfigMap's file changes when Kubernetes swaps a symlink beside it", async () => {
  const publish = (version: string): void => {
    mkdirSync(join(directory, `..${version}`));
    writeFileSync(join(directory, `..${version}`, "rules.yaml"), version);
    symlinkSync(`..${version}`, join(directory, "..data_tmp"));
    renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
  };
  publish("one");
  symlinkSync("..data/rules.yaml", file);
  const { seen, sees } = follow();
  await sees("one");
  publish("two");
  await sees("two");
  publish("three");
  await sees("three");
  expect(seen).toEqual(["one", "two", "three"]);
});

test("a file behind a symlink to elsewhere is watched where it is", async () => {
  const elsewhere = mkdtempSync(join(directory, "elsewhere-"));
  writeFileSync(join(elsewhere, "real.yaml"), "one");
  symlinkSync(join(elsewhere, "real.yaml"), file);
  const { sees } = follow();
  await sees("one");
  writeFileSync(join(elsewhere, "real.yaml"), "two");
  await sees("two");
  replace(join(elsewhere, "real.yaml"), "three");
  await sees("three");
});

test("it is looked at when somebody asks, and not because of other files", async () => {
  writeFileSync(file, "one");
  const { seen, asked, sees } = follow();
  await sees("one");
  for (let index = 0; index < 20; index += 1) replace(join(directory, "other"), String(index));
  await sleep(300);
  expect(seen).toEqual(["one"]);
  asked.set(1);
  await vi.waitFor(() => expect(seen).toEqual(["one", "one"]), { timeout: soonMs });
});

test("what could not be used is tried again now and then, though the file did not change", async () => {
  writeFileSync(file, "one");
  const clock = createManualClock();
  const looks: number[] = [];
  follow({ clock, good: () => looks.push(clock.now()) > 1 });
  /** In between, the file's stamp comes from a thread. */
  const pass = async (seconds: number): Promise<void> => {
    for (let step = 0; step < seconds; step += 1) {
      await clock.advance(1_000);
      await sleep(5);
    }
  };
  await vi.waitFor(() => expect(looks).toHaveLength(1), { timeout: soonMs });
  await vi.waitFor(() => pass(1).then(() => expect(looks).toHaveLength(2)), { timeout: soonMs, interval: 1 });
  expect((looks[1] ?? 0) - (looks[0] ?? 0)).toBeGreaterThanOrEqual(10_000);
  await pass(40);
  expect(looks).toHaveLength(2);
});
