import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sampleRadio, sampleSnapshot } from "../../../test/fixtures/sample-radios.ts";
import { systemClock } from "../../core/clock.ts";
import type { Radio, Snapshot } from "../../core/radio.ts";
import { openCdiDirectory } from "../../kubelet/cdi-directory.ts";
import { cdiNames } from "./cdi-files.ts";
import { createCdiOutput, removeCdiFiles } from "./cdi-output.ts";

const never = new AbortController().signal;
const fileOf = (id: string): string => `radio.mi.house-radio_${id}.json`;

function makeWorld() {
  const path = mkdtempSync(join(tmpdir(), "aerial-cdi-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const directory = openCdiDirectory({ path, ...cdiNames("radio.mi.house"), clock: systemClock });
  const output = createCdiOutput({ directory, clock: systemClock, groups: { domain: "radio.mi.house", groups: [] }, groupId: 20 });
  const apply = (radios: readonly Radio[], changes: Partial<Snapshot> = {}): Promise<number | undefined> =>
    output.apply(sampleSnapshot(radios, changes), never);
  return { path, directory, apply, names: () => readdirSync(path).toSorted() };
}

const absent = (id: string): Radio => sampleRadio(id, { presence: "absent" });

test("files follow the radios, and nothing is written while nothing differs", async () => {
  const { path, apply, names } = makeWorld();
  await apply([sampleRadio("a"), sampleRadio("b")]);
  expect(names()).toEqual([fileOf("a"), fileOf("b")]);
  const { ino, mtimeMs } = statSync(join(path, fileOf("a")));
  await apply([sampleRadio("a"), absent("b")]);
  expect(names()).toEqual([fileOf("a")]);
  expect(statSync(join(path, fileOf("a")))).toMatchObject({ ino, mtimeMs });
  await apply([]);
  expect(names()).toEqual([]);
});

test("nothing is withdrawn before the first whole scan", async () => {
  const { apply, names } = makeWorld();
  await apply([sampleRadio("a")]);
  await apply([absent("a")], { complete: false });
  expect(names()).toEqual([fileOf("a")]);
});

test("what somebody emptied, edited or tore is put right, and asked about again", async () => {
  const { path, apply, names } = makeWorld();
  const snapshot = [sampleRadio("a"), sampleRadio("b")];
  expect(await apply(snapshot)).toBeGreaterThan(Date.now());
  const content = readFileSync(join(path, fileOf("a")), "utf8");
  rmSync(join(path, fileOf("b")));
  writeFileSync(join(path, fileOf("a")), content.replace("188", "1"));
  await apply(snapshot);
  expect(names()).toEqual([fileOf("a"), fileOf("b")]);
  expect(readFileSync(join(path, fileOf("a")), "utf8")).toBe(content);
  writeFileSync(join(path, fileOf("a")), content.slice(0, 40));
  await apply(snapshot);
  expect(readFileSync(join(path, fileOf("a")), "utf8")).toBe(content);
});

test("a file that cannot be written keeps no other from being so", async () => {
  const { path, apply, names } = makeWorld();
  mkdirSync(join(path, fileOf("b")));
  await expect(apply([sampleRadio("a"), sampleRadio("b"), sampleRadio("c")])).rejects.toMatchObject({ code: "handover.cdi" });
  expect(names()).toEqual([fileOf("a"), fileOf("b"), fileOf("c")]);
  rmSync(join(path, fileOf("b")), { recursive: true });
  await apply([sampleRadio("a"), sampleRadio("b"), sampleRadio("c")]);
  expect(statSync(join(path, fileOf("b"))).isFile()).toBe(true);
});

test("cleanup takes ours and leaves others'", async () => {
  const { path, directory, apply, names } = makeWorld();
  writeFileSync(join(path, "nvidia.com-gpu.json"), "{}");
  await apply([sampleRadio("a"), sampleRadio("b")]);
  expect(await removeCdiFiles(directory)).toBe(2);
  expect(names()).toEqual(["nvidia.com-gpu.json"]);
});
