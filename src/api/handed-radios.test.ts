import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { apiSources } from "../../test/fixtures/api-sources.ts";
import { sampleRadio, sampleSnapshot } from "../../test/fixtures/sample-radios.ts";
import { socketFetch } from "../../test/fixtures/socket-fetch.ts";
import { Cell } from "../core/cell.ts";
import { AerialError } from "../core/errors.ts";
import type { RadioHolder } from "../core/handover.ts";
import type { RadioPodList } from "./contract/types.ts";
import { openApi } from "./open-api.ts";
import type { ApiSources } from "./sources.ts";

const since = "2026-01-02T03:04:05.678Z";
const holder: RadioHolder = {
  radioId: "a",
  namespace: "home",
  pod: "zigbee2mqtt-0",
  container: "zigbee2mqtt",
  way: "device-plugin",
  request: "radio.mi.house/zigbee",
  since,
};
const { radioId: _radioId, ...holding } = holder;

async function open(overrides: Partial<Pick<ApiSources, "radioPods">> = {}) {
  const directory = mkdtempSync(join(tmpdir(), "aerial-handed-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const socket = join(directory, "api.sock");
  const holders = new Cell<readonly RadioHolder[]>([]);
  const sources = apiSources();
  sources.snapshots.set(sampleSnapshot([sampleRadio("a"), sampleRadio("b", { presence: "absent" })]));
  const handover = { holders, resourceOf: ({ id }: { id: string }) => (id === "a" ? "radio.mi.house/zigbee" : undefined) };
  const api = await openApi({ ...sources, handover, ...overrides, socket }, new AbortController().signal);
  onTestFinished(() => api[Symbol.asyncDispose]());
  const ask = (path: string, init: RequestInit = {}) => socketFetch(socket)(`http://localhost${path}`, init);
  return { ...sources, holders, ask, read: async (path: string) => (await (await ask(path)).json()) as Record<string, unknown> };
}

describe("a radio that a pod was given", () => {
  test("says so wherever it is shown, and the list is another one from then on", async () => {
    const { holders, ask, read } = await open();
    const before = await ask("/api/v1/radios");
    expect(await before.json()).toMatchObject({ radios: [{ id: "a", resource: "radio.mi.house/zigbee", handedTo: [] }, { id: "b" }] });
    holders.set([holder]);
    const ifNoneMatch = { "if-none-match": before.headers.get("etag") ?? "" };
    expect((await ask("/api/v1/radios", { headers: ifNoneMatch })).status).toBe(200);
    const list = (await read("/api/v1/radios")) as { radios: Record<string, unknown>[] };
    expect(list.radios.map(({ handedTo }) => handedTo)).toEqual([[holding], []]);
    expect(list.radios[1]).not.toHaveProperty("resource");
    expect(await read("/api/v1/radios/a")).toMatchObject({ handedTo: [holding] });
    expect(await read("/api/v1/radios/a/explain")).toMatchObject({ radios: [{ id: "a", handedTo: [holding] }] });
  });

  test("is told to who follows, by lines and by a hint", async () => {
    const { holders, ask } = await open();
    const lines = (await ask("/api/v1/watch")).body!.pipeThrough(new TextDecoderStream()).getReader();
    const events = (await ask("/api/v1/events/stream?after=now")).body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await lines.read()).value).toContain('"type":"snapshot"');
    await events.read();
    holders.set([holder]);
    expect(JSON.parse((await lines.read()).value ?? "")).toMatchObject({ type: "changed", radio: { id: "a", handedTo: [holding] } });
    let told = "";
    while (!told.includes("event: pods\n")) told += (await events.read()).value ?? "";
    await Promise.all([lines.cancel(), events.cancel()]);
  });

  test("by a claim is the same", async () => {
    const { holders, read } = await open();
    holders.set([{ ...holder, radioId: "b", way: "resource-claim", request: "stick" }]);
    expect(await read("/api/v1/radios/b")).toMatchObject({ handedTo: [{ way: "resource-claim", request: "stick", since }] });
  });
});

describe("the pods that ask for radios", () => {
  const list: RadioPodList = {
    at: since,
    complete: true,
    pods: [
      {
        namespace: "home",
        name: "zigbee2mqtt-0",
        node: "node-1",
        phase: "pending",
        wants: [{ way: "device-plugin", request: "radio.mi.house/zigbee", count: 1 }],
        holds: ["a"],
        waiting: "It waits.",
      },
    ],
  };

  test("come as they are", async () => {
    const { read } = await open({ radioPods: () => Promise.resolve(list) });
    expect(await read("/api/v1/pods")).toEqual(list);
  });

  test("without a cluster there are none to ask for", async () => {
    const { ask } = await open();
    const answer = await ask("/api/v1/pods");
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: "cluster.off" }]);
  });

  test("who may not list pods is told what would let it", async () => {
    const { ask } = await open({ radioPods: () => Promise.reject(new AerialError("pods.forbidden", "aerial may not list pods")) });
    const answer = await ask("/api/v1/pods");
    expect([answer.status, await answer.json()]).toMatchObject([503, { hint: expect.stringContaining("see-pods") as string }]);
  });
});
