import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../core/clock.ts";
import { createConditions } from "../core/condition.ts";
import type { Device } from "../core/device.ts";
import { silentLog } from "../core/log.ts";
import type { Radio } from "../core/radio.ts";
import type { RadioPlugin } from "../sdk/plugin.ts";
import { openIdentifier } from "./identifier.ts";

const { signal } = new AbortController();
/** Generous: a worker thread starts slowly on a busy machine, and no test waits this long. */
const patient = { loadMs: 60_000, callMs: 60_000 };
/** For plugins that load, and then never answer. */
const strict = { loadMs: 60_000, callMs: 300 };

const stick: Device = { sysPath: "a", function: "serial", nodes: [], byId: "usb-Acme_Mesh_One_1-if00" };
const cable: Device = { sysPath: "b", function: "serial", nodes: [], byId: "usb-Nobody_Cable_1-if00" };
const builtIn: RadioPlugin = {
  apiVersion: 1,
  name: "built-in",
  fingerprints: [
    { id: "mesh", match: { name: /mesh/i }, says: "is", kinds: ["zigbee"], certainty: "likely", probe: "none", source: "test" },
  ],
  describe: () => ({ labels: { from: "built-in", firmware: "1" } }),
};
const row = `{ id: "one", match: { name: /^acme mesh one/i }, says: "is", kinds: ["lora"], certainty: "likely", probe: "none", source: "test" }`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aerial-plugins-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function pluginFile(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, 0o644);
  return path;
}

async function open(paths: readonly string[], deadlines = patient) {
  const conditions = createConditions(systemClock);
  const identifier = await openIdentifier({ builtIn: [builtIn], paths, log: silentLog, clock: systemClock, conditions, deadlines }, signal);
  return {
    identifier,
    conditions: () => [...conditions.current.values()].map(({ code, text }) => `${code}: ${text}`),
    kinds: async () =>
      (await identifier.identify([stick, cable], signal)).map(({ identity }) =>
        identity.state === "identified" ? identity.kinds : identity.state,
      ),
    [Symbol.asyncDispose]: () => identifier[Symbol.asyncDispose](),
  };
}

describe("openIdentifier", () => {
  it("identifies with the built-ins alone", async () => {
    await using opened = await open([]);
    expect(opened.identifier.plugins).toEqual(["built-in"]);
    expect(await opened.kinds()).toEqual([["zigbee"], "unknown"]);
  });

  it("asks plugins what they want to hear of the network, and what they make of it", async () => {
    const network = `[{ id: "acme-gateway", service: "_acme._tcp", text: { type: "mesh*" }, says: "is", kinds: ["lora"], certainty: "likely", source: "test" }]`;
    const path = await pluginFile(
      "network.mjs",
      `export const plugin = { apiVersion: 1, name: "network", fingerprints: [${row}], network: ${network} };`,
    );
    await using opened = await open([path]);
    expect(opened.conditions()).toEqual([]);
    expect(opened.identifier.networkServices).toEqual(new Set(["_acme._tcp"]));
    const offer = { service: "_acme._tcp", instance: "gateway", text: { type: "MESH-1", board: "Acme Board" } };
    const gateway: Device = {
      sysPath: "network/acme.local:1",
      function: "network",
      nodes: [],
      network: { ...offer, host: "acme.local", port: 1, addresses: [], others: [], links: ["home"] },
    };
    const [identified] = await opened.identifier.identify([gateway], signal);
    expect(identified?.identity).toMatchObject({
      kinds: ["lora"],
      model: "Acme Board",
      evidence: [{ plugin: "network", rule: "acme-gateway" }],
    });
  });

  it("uses a plugin file like a built-in: rows, describe and the SDK", async () => {
    const path = await pluginFile(
      "good.ts",
      `import { definePlugin, type RadioDescription } from "aerial/sdk";
       const more: RadioDescription = { labels: { from: "good" } };
       export const plugin = definePlugin({ apiVersion: 1, name: "good", fingerprints: [{ ...${row}, match: { name: /^acme mesh one/i, function: "serial", vendorId: "0001" } }], describe: () => more });`,
    );
    await using opened = await open([path]);
    expect(opened.conditions()).toEqual([]);
    expect(opened.identifier.plugins).toEqual(["built-in", "good"]);
    expect(opened.identifier.list()).toEqual([
      { name: "built-in", origin: "built-in", state: "running", fingerprints: 1 },
      { name: "good", origin: "file", path, state: "running", fingerprints: 1 },
    ]);
    const [identified] = await opened.identifier.identify([stick], signal);
    expect(identified?.identity).toMatchObject({
      state: "identified",
      kinds: ["lora"],
      evidence: [{ plugin: "good", rule: "one" }, { plugin: "built-in" }],
    });
    const radio = { device: stick, identity: identified?.identity } as Radio;
    expect(await opened.identifier.describe(radio, signal)).toEqual({ labels: { from: "good", firmware: "1" }, environment: {}, txt: {} });
  });

  it.each([
    ["throws.mjs", `throw new Error("no luck")`, /^plugin\.throws\.failed: .*no luck/],
    ["empty.mjs", `export const other = 1`, /^plugin\.empty\.invalid: .*no export named `plugin`/],
    ["future.mjs", `export const plugin = { apiVersion: 99 }`, /^plugin\.future\.invalid: .*apiVersion is 99, and this aerial speaks 1/],
    [
      "broken.mjs",
      `export const plugin = { apiVersion: 1, name: "broken", fingerprints: [{}] }`,
      /^plugin\.broken\.invalid: .*fingerprints\[0\]/,
    ],
    ["syntax.mjs", `export const plugin = {`, /^plugin\.syntax\.failed: /],
    ["leaves.mjs", `process.exit(0)`, /^plugin\.leaves\.failed: .*ended its own thread/],
    [
      "twin.mjs",
      `export const plugin = { apiVersion: 1, name: "built-in", fingerprints: [] }`,
      /^plugin\.built-in\.invalid: There is already a plugin named built-in/,
    ],
    ["greedy.mjs", `const all = []; for (;;) all.push(new Array(100_000).fill(all.length))`, /^plugin\.greedy\.failed: /],
  ])("refuses %s with a condition and goes on", async (name, text, condition) => {
    const path = await pluginFile(name, text);
    await using opened = await open([path]);
    expect(opened.identifier.list()).toMatchObject([{ name: "built-in" }, { origin: "file", path, state: "failed", fingerprints: 0 }]);
    expect(opened.conditions()).toEqual([expect.stringMatching(condition)]);
    expect(await opened.kinds()).toEqual([["zigbee"], "unknown"]);
  });

  it("refuses a file that hangs while it loads", async () => {
    await using opened = await open([await pluginFile("stuck.mjs", `for (;;);`)], { loadMs: 300, callMs: 300 });
    expect(opened.conditions()).toEqual([expect.stringMatching(/^plugin\.stuck\.timeout: .*did not answer within 300 ms/)]);
    expect(await opened.kinds()).toEqual([["zigbee"], "unknown"]);
  });

  it("refuses files that are missing, relative or writable by others", async () => {
    const open022 = await pluginFile("open.mjs", `export const plugin = 1`);
    await chmod(open022, 0o666);
    await using opened = await open([open022, "relative.mjs", join(folder, "missing.mjs"), join(folder, "rows.json")]);
    expect(opened.conditions().toSorted()).toEqual([
      expect.stringMatching(/^plugin\.missing\.invalid: .*cannot be read/),
      expect.stringMatching(/^plugin\.open\.invalid: .*can be written by others/),
      expect.stringMatching(/^plugin\.relative\.invalid: .*is not an absolute path/),
      expect.stringMatching(/^plugin\.rows\.invalid: .*must end in/),
    ]);
  });

  it.each([
    [
      "a catastrophic expression",
      "timeout",
      `export const plugin = { apiVersion: 1, name: "bad", fingerprints: [{ ...${row}, match: { name: /^(\\w+\\s?)+!$/i } }] }`,
    ],
    [
      "an endless loop",
      "timeout",
      `export const plugin = { apiVersion: 1, name: "bad", fingerprints: [${row}] };
       let checked = 0;
       plugin.fingerprints[0].match = new Proxy(plugin.fingerprints[0].match, { get(match, key) { if (key === "function" && ++checked > 3) for (;;); return match[key]; } });`,
    ],
    [
      "an exception",
      "failed",
      `export const plugin = { apiVersion: 1, name: "bad", fingerprints: [${row}] };
       let checked = 0;
       plugin.fingerprints[0].match = new Proxy(plugin.fingerprints[0].match, { get(match, key) { if (key === "function" && ++checked > 3) throw new Error("not today"); return match[key]; } });`,
    ],
    [
      "nonsense",
      "failed",
      `import { parentPort } from "node:worker_threads";
       export const plugin = { apiVersion: 1, name: "bad", fingerprints: [${row}] };
       parentPort.on("message", () => parentPort.postMessage({ id: "seven" }));`,
    ],
    [
      "claims that are none",
      "failed",
      `import { parentPort } from "node:worker_threads";
       export const plugin = { apiVersion: 1, name: "bad", fingerprints: [${row}] };
       parentPort.on("message", ({ id }) => parentPort.postMessage({ id, ok: true, value: [[{ answer: { says: "is", kinds: "all" } }]] }));`,
    ],
  ])("cuts off a plugin that answers with %s, and keeps answering itself", async (_what, reason, text) => {
    const long: Device = { ...stick, byId: `usb-Acme_Mesh_One_${"a".repeat(200)}-if00` };
    await using opened = await open([await pluginFile(`bad-${reason}-${text.length}.mjs`, text)], strict);
    expect(opened.identifier.plugins).toEqual(["built-in", "bad"]);
    const [identified] = await opened.identifier.identify([long], signal);
    expect(identified?.identity).toMatchObject({ state: "identified", kinds: ["zigbee"] });
    expect(opened.conditions()).toEqual([
      expect.stringMatching(new RegExp(`^plugin\\.bad\\.${reason}: .*It is off until aerial restarts\\.$`, "s")),
    ]);
    expect(opened.identifier.plugins).toEqual(["built-in"]);
    expect(await opened.kinds()).toEqual([["zigbee"], "unknown"]);
  });

  it("cuts off a plugin that describes without end, and leaves out what is no description", async () => {
    const text = (name: string, body: string): string =>
      `export const plugin = { apiVersion: 1, name: "${name}", fingerprints: [{ ...${row}, id: "${name}" }], describe() { ${body} } }`;
    await using opened = await open(
      [
        await pluginFile("endless.mjs", text("endless", "for (;;);")),
        await pluginFile("promise.mjs", text("promise", "return new Promise(() => {})")),
      ],
      strict,
    );
    const [identified] = await opened.identifier.identify([stick], signal);
    const radio = { device: stick, identity: identified?.identity } as Radio;
    expect((await opened.identifier.describe(radio, signal)).labels).toEqual({ from: "built-in", firmware: "1" });
    expect(opened.identifier.plugins).toEqual(["built-in"]);
  });

  it("stops asking when the caller does, and blames no plugin for it", async () => {
    await using opened = await open([
      await pluginFile("fine.mjs", `export const plugin = { apiVersion: 1, name: "fine", fingerprints: [${row}] }`),
    ]);
    const stop = new Error("stop");
    await expect(opened.identifier.identify([stick], AbortSignal.abort(stop))).rejects.toBe(stop);
    expect(opened.conditions()).toEqual([]);
    expect(opened.identifier.plugins).toEqual(["built-in", "fine"]);
    expect(await opened.kinds()).toEqual(["ambiguous", "unknown"]);
  });
});
