import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFactsWorld } from "../../test/fixtures/facts-world.ts";
import { sampleRadio } from "../../test/fixtures/sample-radios.ts";
import type { Check, Facts } from "../core/check.ts";
import { systemClock } from "../core/clock.ts";
import { createConditions } from "../core/condition.ts";
import { silentLog } from "../core/log.ts";
import type { RadioPlugin } from "../sdk/plugin.ts";
import { runPluginConformance } from "./conformance.ts";
import { openIdentifier } from "./identifier.ts";
import { pluginProblems } from "./plugin-shape.ts";

const { signal } = new AbortController();
const patient = { loadMs: 60_000, callMs: 60_000 };

const check: Check = {
  id: "acme-1",
  level: "warning",
  title: "The stick is awake",
  source: "test",
  reads: ["/sys/bus/usb/devices/*/power/control"],
  judge(facts) {
    const paths = facts.paths("/sys/bus/usb/devices/*/power/control");
    if (paths.length === 0) return "no stick is there";
    return paths.map((path) => {
      const reading = facts.file(path);
      const evidence = [{ source: path, value: reading.state === "read" ? reading.value : reading.state }];
      return { verdict: reading.state !== "read" ? "unknown" : reading.value === "on" ? "pass" : "fail", text: "So it is.", evidence };
    });
  },
};
const acme: RadioPlugin = { apiVersion: 1, name: "acme", fingerprints: [], checks: [check] };

/** A plugin file with one check whose `judge` has this body. */
const fileOf = (body: string, reads = '["/sys/bus/usb/devices/*/power/control"]'): string => `
  export const plugin = { apiVersion: 1, name: "acme", fingerprints: [], checks: [{
    id: "acme-1", level: "warning", title: "The stick is awake", source: "test", reads: ${reads},
    judge(facts) { ${body} },
  }] };`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aerial-plugin-checks-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function open(text: string | RadioPlugin, deadlines = patient) {
  const paths: string[] = [];
  if (typeof text === "string") {
    paths.push(join(folder, "acme.mjs"));
    await writeFile(paths[0]!, text);
    await chmod(paths[0]!, 0o644);
  }
  const conditions = createConditions(systemClock);
  const builtIn = typeof text === "string" ? [] : [text];
  const identifier = await openIdentifier({ builtIn, paths, log: silentLog, clock: systemClock, conditions, deadlines }, signal);
  return { identifier, codes: () => [...conditions.current.keys()], [Symbol.asyncDispose]: () => identifier[Symbol.asyncDispose]() };
}

async function factsWith(...reads: readonly string[]): Promise<Facts> {
  using world = createFactsWorld({ known: { devices: () => ({ radios: [sampleRadio("attic")], others: [] }) } });
  world
    .file("/sys/bus/usb/devices/1-1/power/control", "auto")
    .file("/sys/bus/usb/devices/1-2/power/control", "on")
    .unreadable("/sys/bus/usb/devices/1-3/power/control")
    .file("/proc/cmdline", "quiet");
  return await world.gather([{ ...check, reads }]);
}

describe("checks of a plugin file", () => {
  it("are asked in its thread, with the files it has named and the radios", async () => {
    await using opened = await open(
      fileOf(`return [
        ...facts.paths("/sys/bus/usb/devices/*/power/control").map((path) => ({
          verdict: "fail", text: "Asleep.", evidence: [{ source: path, value: JSON.stringify(facts.file(path)) }] })),
        { verdict: "pass", text: facts.radios.map(({ id }) => id).join(), evidence: [
          { source: "absent", value: JSON.stringify(facts.file("/sys/bus/usb/devices/9-9/power/control")) },
          { source: "not asked for", value: facts.file("/proc/cmdline").why },
          { source: "withheld", value: facts.processes.why + facts.kernelOption("CONFIG_BT").state } ] }];`),
    );
    expect(opened.identifier.checks).toEqual([
      { id: "acme-1", level: "warning", title: "The stick is awake", source: "test", reads: check.reads },
    ]);
    const [judged] = await opened.identifier.judge(await factsWith(...check.reads, "/proc/cmdline"), signal);
    expect(judged?.answer).toEqual([
      {
        verdict: "fail",
        text: "Asleep.",
        evidence: [{ source: "/sys/bus/usb/devices/1-1/power/control", value: '{"state":"read","value":"auto"}' }],
      },
      {
        verdict: "fail",
        text: "Asleep.",
        evidence: [{ source: "/sys/bus/usb/devices/1-2/power/control", value: '{"state":"read","value":"on"}' }],
      },
      {
        verdict: "fail",
        text: "Asleep.",
        evidence: [{ source: "/sys/bus/usb/devices/1-3/power/control", value: '{"state":"unreadable","why":"is a directory"}' }],
      },
      {
        verdict: "pass",
        text: "attic",
        evidence: [
          { source: "absent", value: '{"state":"absent"}' },
          { source: "not asked for", value: "no check of this plugin has asked for it" },
          { source: "withheld", value: "plugins in files of their own are not told thisunreadable" },
        ],
      },
    ]);
  });

  it("cost no more than themselves when they throw", async () => {
    await using opened = await open(fileOf(`throw new TypeError("oh no");`));
    const [judged] = await opened.identifier.judge(await factsWith(...check.reads), signal);
    expect(judged?.answer).toMatchObject([{ verdict: "unknown", text: expect.stringContaining("oh no") as string }]);
    expect(opened.codes()).toEqual([]);
  });

  it.each([
    ["hang", "for (;;);", "plugin.acme.timeout"],
    ["answer what is no answer", `return [{ verdict: "maybe", text: "x", evidence: [] }];`, "plugin.acme.failed"],
    ["answer with more than one line", `return "one\\ntwo";`, "plugin.acme.failed"],
    ["answer with what cannot be sent", `return [() => 1];`, "plugin.acme.failed"],
    [
      "ask for a change that is none",
      `return [{ verdict: "fail", text: "x", evidence: [], remedy: { text: "x", talos: [{ change: "sysctl", name: "a b: c", value: "1" }] } }];`,
      "plugin.acme.failed",
    ],
  ])("are cut off when they %s", async (_what, body, code) => {
    const deadlines = code.endsWith("timeout") ? { loadMs: 60_000, callMs: 300 } : patient;
    await using opened = await open(fileOf(body), deadlines);
    const answers = await opened.identifier.judge(await factsWith(...check.reads), signal);
    expect(answers).toMatchObject([
      { check: { id: "acme-1" }, answer: [{ verdict: "unknown", text: expect.stringContaining("cut off") as string }] },
    ]);
    expect(opened.codes()).toEqual([code]);
    expect(opened.identifier.checks).toEqual([]);
  });

  it("may read nothing but those trees", async () => {
    await using opened = await open(fileOf("return [];", '["/etc/shadow"]'));
    expect(opened.codes()).toEqual(["plugin.acme.invalid"]);
  });
});

describe("checks of a built-in plugin", () => {
  it("are asked with all facts", async () => {
    await using opened = await open(acme);
    const [judged] = await opened.identifier.judge(await factsWith(...check.reads), signal);
    expect(judged?.answer).toMatchObject([{ verdict: "fail" }, { verdict: "pass" }, { verdict: "unknown" }]);
  });
});

describe("the shape of checks", () => {
  const withCheck = (changes: Partial<Check>): RadioPlugin => ({ ...acme, checks: [{ ...check, ...changes }] });

  it("is told with the check's id", () => {
    expect(pluginProblems(acme)).toEqual([]);
    expect(pluginProblems(withCheck({ id: "other-1" }))).toEqual(['checks: the id "other-1" must begin with "acme-"']);
    expect(pluginProblems({ ...acme, checks: [check, check] })).toEqual(['checks: two checks have the id "acme-1"']);
    expect(pluginProblems(withCheck({ reads: ["/sys/../etc/shadow"] }))[0]).toMatch(/^checks\[0\] \(acme-1\)\.reads\[0\]: must not have/);
    expect(pluginProblems(withCheck({ title: "two\nlines" }))[0]).toMatch(/one line/);
  });
});

describe("conformance of checks", () => {
  const problemsOf = (judge: Check["judge"]): readonly string[] => runPluginConformance({ ...acme, checks: [{ ...check, judge }] });

  it("finds nothing wrong with a good one", () => {
    expect(runPluginConformance(acme)).toEqual([]);
  });

  it("names what throws, what asks for more than it said, and what takes darkness for an answer", () => {
    expect(problemsOf((facts) => (facts.kernelLog as unknown as { value: readonly never[] }).value.map(() => ({}) as never))).toHaveLength(
      2,
    );
    expect(problemsOf((facts) => facts.file("/proc/cmdline").state)).toEqual([
      "checks: acme-1 asks for /proc/cmdline, which its reads do not name",
    ]);
    const blind = problemsOf(() => [{ verdict: "pass", text: "All is well.", evidence: [] }]);
    expect(blind).toEqual(['checks: acme-1 knows an answer where nothing can be read: it must say "unknown"']);
    expect(problemsOf(() => [{ verdict: "pass" } as never])[0]).toMatch(/answers what is no answer/);
  });
});
