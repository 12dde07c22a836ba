import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../core/clock.ts";
import { type CdiDirectory, openCdiDirectory } from "./cdi-directory.ts";

const prefix = "radio.mi.house-radio_";
const kind = "radio.mi.house/radio";
const ours = (name: string): string => JSON.stringify({ cdiVersion: "0.7.0", kind, devices: [{ name }] });

function makeDirectory(): { readonly path: string; readonly cdi: CdiDirectory } {
  const root = mkdtempSync(join(tmpdir(), "aerial-cdi-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const path = join(root, "run/cdi");
  return { path, cdi: openCdiDirectory({ path, prefix, kind, clock: systemClock }) };
}

test("a directory that is not there has no files, and is made with the first", async () => {
  const { path, cdi } = makeDirectory();
  expect(await cdi.read()).toEqual(new Map());
  await cdi.write(`${prefix}a.json`, ours("a"));
  expect(readFileSync(join(path, `${prefix}a.json`), "utf8")).toBe(ours("a"));
  expect(readdirSync(path)).toEqual([`${prefix}a.json`]);
  expect(await cdi.read()).toEqual(new Map([[`${prefix}a.json`, ours("a")]]));
  await cdi.remove(`${prefix}a.json`);
  await cdi.remove(`${prefix}a.json`);
  expect(readdirSync(path)).toEqual([]);
});

test("others' files are neither listed nor removed, whatever they are called", async () => {
  const { path, cdi } = makeDirectory();
  mkdirSync(path, { recursive: true });
  const others: Readonly<Record<string, string>> = {
    "nvidia.com-gpu.json": JSON.stringify({ kind: "nvidia.com/gpu" }),
    [`${prefix}foreign.json`]: JSON.stringify({ kind: "example.com/radio" }),
    [`${prefix}half.json`]: ours("half").slice(0, 20),
    [`${prefix}null.json`]: "null",
    [`${prefix}a.yaml`]: ours("a"),
    "z.json": ours("z"),
  };
  for (const [name, content] of Object.entries(others)) writeFileSync(join(path, name), content);
  symlinkSync("z.json", join(path, `${prefix}link.json`));
  mkdirSync(join(path, `${prefix}directory.json`));
  const found = await cdi.read();
  expect([...found.values()].filter((content) => content !== undefined)).toEqual([]);
  expect([...found.keys()].toSorted()).toEqual(["directory", "foreign", "half", "link", "null"].map((name) => `${prefix}${name}.json`));
  for (const name of [...found.keys(), "z.json", "../z.json", "nvidia.com-gpu.json"]) await cdi.remove(name);
  expect(readdirSync(path)).toHaveLength(8);
  for (const [name, content] of Object.entries(others)) expect(readFileSync(join(path, name), "utf8")).toBe(content);
});

test("a link in place of our file is replaced, and what it leads to stays as it is", async () => {
  const { path, cdi } = makeDirectory();
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "victim"), "untouched");
  symlinkSync("victim", join(path, `${prefix}a.json`));
  symlinkSync("victim", join(path, `.${prefix}a.json.tmp`));
  await cdi.write(`${prefix}a.json`, ours("a"));
  expect(readFileSync(join(path, "victim"), "utf8")).toBe("untouched");
  expect(await cdi.read()).toEqual(new Map([[`${prefix}a.json`, ours("a")]]));
});

test("what was being written when aerial was killed goes, and others' temporary files stay", async () => {
  const { path, cdi } = makeDirectory();
  mkdirSync(path, { recursive: true });
  for (const name of [`.${prefix}a.json.tmp`, ".nvidia.json.tmp", `${prefix}a.tmp`]) writeFileSync(join(path, name), "{");
  expect(await cdi.read()).toEqual(new Map());
  expect(readdirSync(path).toSorted()).toEqual([".nvidia.json.tmp", `${prefix}a.tmp`]);
});

test("names that are none of ours are refused, and errors are typed", async () => {
  const { path, cdi } = makeDirectory();
  const typed = expect.objectContaining({ code: "handover.cdi", retryable: true });
  for (const name of ["x.json", `../${prefix}a.json`, `${prefix}/../../a.json`, `${prefix}a.yaml`]) {
    await expect(cdi.write(name, ours("a"))).rejects.toEqual(typed);
  }
  writeFileSync(join(path, "../../run-file"), "");
  const blocked = openCdiDirectory({ path: join(path, "../../run-file"), prefix, kind, clock: systemClock });
  await expect(blocked.read()).rejects.toEqual(typed);
  await expect(blocked.write(`${prefix}a.json`, ours("a"))).rejects.toEqual(typed);
  mkdirSync(join(path, `${prefix}a.json`), { recursive: true });
  await expect(cdi.write(`${prefix}a.json`, ours("a"))).rejects.toEqual(typed);
  expect(readdirSync(path)).toEqual([`${prefix}a.json`]);
});

test("a flood of files with our name is an error, not a heap of memory", async () => {
  const { path, cdi } = makeDirectory();
  mkdirSync(path, { recursive: true });
  for (let number = 0; number < 1_025; number += 1) writeFileSync(join(path, `${prefix}${number}.json`), "");
  await expect(cdi.read()).rejects.toThrow("more than 1024");
});

test("others' edits are heard, our own are not", async () => {
  const { path, cdi } = makeDirectory();
  const stop = new AbortController();
  await cdi.write(`${prefix}a.json`, ours("a"));
  const running = cdi.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  await cdi.write(`${prefix}a.json`, ours("b"));
  await cdi.write(`${prefix}b.json`, ours("b"));
  await cdi.remove(`${prefix}b.json`);
  writeFileSync(join(path, "nvidia.json"), "{}");
  await new Promise((resolve) => void setTimeout(resolve, 200));
  expect(cdi.edits.current).toBe(0);
  writeFileSync(join(path, `${prefix}a.json`), "edited");
  await vi.waitFor(() => expect(cdi.edits.current).toBe(1));
  rmSync(join(path, `${prefix}a.json`));
  await vi.waitFor(() => expect(cdi.edits.current).toBe(2));
});

test("they are heard in a directory that is made, or made anew, after the start", async () => {
  const { path, cdi } = makeDirectory();
  const stop = new AbortController();
  const running = cdi.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  for (const round of [0, 1]) {
    await new Promise((resolve) => void setTimeout(resolve, 50));
    await cdi.write(`${prefix}a.json`, ours("a"));
    await new Promise((resolve) => void setTimeout(resolve, 150));
    const before = cdi.edits.current;
    rmSync(join(path, `${prefix}a.json`));
    await vi.waitFor(() => expect(cdi.edits.current).toBe(before + 1));
    if (round === 0) rmSync(path, { recursive: true });
  }
});

test("any content survives the way to the disk and back, if it says our kind", async () => {
  const { cdi } = makeDirectory();
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      const content = JSON.stringify({ kind, value });
      await cdi.write(`${prefix}a.json`, content);
      expect((await cdi.read()).get(`${prefix}a.json`)).toBe(content);
    }),
    { numRuns: 50 },
  );
});
