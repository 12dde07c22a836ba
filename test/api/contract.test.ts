/** The contract and a real daemon are one thing: each operation is served, and answers as it says. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { socketFetch } from "../fixtures/socket-fetch.ts";
import { type ContractDaemon, openContractDaemon } from "./contract-daemon.ts";
import { createJudge } from "./contract-judge.ts";

let daemon: ContractDaemon;
const judge = createJudge();
const { operations } = judge;
const seen = new Set<number>();

beforeAll(async () => {
  daemon = await openContractDaemon();
});
afterAll(() => daemon?.[Symbol.asyncDispose]());

interface Ask {
  /** In place of `{key}`. */
  readonly key?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of the contract's own method. */
  readonly method?: string;
}

const isStream = (id: string): boolean => /^(watchRadios|traceRelay|streamEvents)$/.test(id);

/** Asks for an operation and holds the answer to the contract. Of streams only the first piece is read. */
async function ask(id: string, { key = "", query = "", headers = {}, body, method }: Ask = {}) {
  const { method: ownMethod, path } = operations.get(id)!;
  const stop = new AbortController();
  const response = await socketFetch(daemon.socket)(`http://localhost${path.replace("{key}", encodeURIComponent(key))}${query}`, {
    method: method ?? ownMethod,
    headers,
    signal: stop.signal,
    ...(body !== undefined && { body }),
  });
  const text = isStream(id) && response.ok ? await readFirst(response) : await response.text();
  stop.abort();
  expect(judge.judge(id, response, text), `${id} answered ${response.status}: ${text.slice(0, 400)}`).toEqual([]);
  seen.add(response.status);
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Record<string, unknown> };
}

async function readFirst(response: Response): Promise<string> {
  const { value } = await response.body!.pipeThrough(new TextDecoderStream()).getReader().read();
  return value ?? "";
}

const merge = { "content-type": "application/merge-patch+json" };
const idOf = (index: number): string => daemon.radios[index]!.id;

describe("every operation is served as the contract says", () => {
  test.each([...operations.keys()].filter((id) => id !== "followEvents" && id !== "traceRelay"))("%s", async (id) => {
    const body = id === "updateRadio" ? { headers: merge, body: JSON.stringify({ name: "attic" }) } : {};
    const { status, text } = await ask(id, { key: idOf(0), ...body });
    // No cluster is configured here.
    if (id === "listClusterRadios" || id === "listRadioPods")
      expect([status, text]).toEqual([404, expect.stringContaining("cluster.off") as string]);
    else expect(status).toBe(200);
  });

  test("followEvents, as what it is", async () => {
    const socket = new WebSocket(`${daemon.url.replace("http", "ws")}/api/v1/events/socket?after=now`);
    const message = await new Promise<MessageEvent>((resolve, reject) => {
      socket.addEventListener("message", resolve, { once: true });
      socket.addEventListener("error", () => reject(new Error("the socket failed")), { once: true });
    });
    expect(JSON.parse(String(message.data))).toMatchObject({ event: "ready" });
    socket.close();
    expect((await ask("followEvents")).status).toBe(426);
  });

  test("traceRelay, from its head on", async () => {
    const stop = new AbortController();
    const response = await fetch(`${daemon.url}/api/v1/relay/trace`, { signal: stop.signal });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson; charset=utf-8"]);
    stop.abort();
  });
});

describe("what is refused is refused as the contract says", () => {
  test.each<readonly [what: string, asked: Ask & { readonly id: string; readonly status: number }]>([
    ["a mistyped filter", { id: "listRadios", query: "?knid=zigbee", status: 400 }],
    ["a state that is none", { id: "listRadios", query: "?state=gone", status: 400 }],
    ["an empty search", { id: "listRadios", query: "?text=", status: 400 }],
    ["an endless search", { id: "listRadios", query: `?text=${"a".repeat(257)}`, status: 400 }],
    ["a filter twice", { id: "listRadios", query: "?kind=a&kind=b", status: 400 }],
    ["a radio that is not there", { id: "getRadio", key: "nobody", status: 404 }],
    ["an endless key", { id: "getRadio", key: "a".repeat(1025), status: 414 }],
    ["what nobody knows", { id: "explainRadio", key: "nobody", status: 404 }],
    ["a change of a radio that is not there", { id: "updateRadio", key: "nobody", headers: merge, body: "{}", status: 404 }],
    ["a change in plain text", { id: "updateRadio", key: "nobody", headers: { "content-type": "text/plain" }, body: "{}", status: 415 }],
    ["a name that is a number", { id: "updateRadio", key: "nobody", headers: merge, body: '{"name":5}', status: 400 }],
    ["a change of what can't be changed", { id: "updateRadio", key: "nobody", headers: merge, body: '{"nmae":"x"}', status: 400 }],
    ["a change that is a list", { id: "updateRadio", key: "nobody", headers: merge, body: "[]", status: 400 }],
    ["a change that is no JSON", { id: "updateRadio", key: "nobody", headers: merge, body: "{", status: 400 }],
    ["a change without a body", { id: "updateRadio", key: "nobody", headers: merge, body: "", status: 400 }],
    [
      "an endless change",
      { id: "updateRadio", key: "nobody", headers: merge, body: JSON.stringify({ name: "a".repeat(70_000) }), status: 413 },
    ],
    ["a page of nothing", { id: "listEvents", query: "?limit=0", status: 400 }],
    ["a number written oddly", { id: "listEvents", query: "?limit=1e2", status: 400 }],
    ["a cursor that is none", { id: "listEvents", query: "?after=7", status: 400 }],
    ["a cursor of another history", { id: "listEvents", query: "?after=00000000-0000-4000-8000-000000000001.7", status: 410 }],
    ["a Talos that never was", { id: "getDoctorPatch", query: "?version=0.1", status: 400 }],
    ["a link without a name", { id: "listRelayServices", query: "?link=", status: 400 }],
    ["a verdict that is none", { id: "traceRelay", query: "?verdict=odd", status: 400 }],
    ["an action in plain text", { id: "rescan", headers: { "content-type": "text/plain" }, body: "now", status: 415 }],
    ["endless headers", { id: "getLiveness", headers: { "x-a": "a".repeat(40_000) }, status: 431 }],
  ])("%s", async (_what, { id, status, ...given }) => {
    expect((await ask(id, given)).status).toBe(status);
  });

  test.each([...operations].filter(([, { method }]) => method === "GET"))("%s knows its methods", async (_id, { path }) => {
    const response = await fetch(`${daemon.url}${path.replace("{key}", "x")}`, { method: "DELETE" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, expect.stringContaining("GET") as string]);
    expect(await response.json()).toMatchObject({ type: "about:blank", status: 405 });
  });

  test("what is not there", async () => {
    const response = await fetch(`${daemon.url}/api/v1/nothing`);
    expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/problem+json; charset=utf-8"]);
  });
});

describe("radios", () => {
  const list = async (query: string): Promise<readonly string[]> => {
    const { radios } = (await ask("listRadios", { query })).json() as { radios: { id: string }[] };
    return radios.map(({ id }) => id);
  };

  test("are filtered by kind, state and text, all of which must hold", async () => {
    const all = await list("");
    expect(all.length).toBeGreaterThanOrEqual(5);
    const zigbee = daemon.radios.filter(({ kinds }) => kinds.includes("zigbee")).map(({ id }) => id);
    expect(zigbee.length).toBeGreaterThan(0);
    expect((await list("?kind=zigbee")).toSorted()).toEqual(zigbee.toSorted());
    expect(await list("?state=absent")).toEqual([]);
    const { id, serial } = daemon.radios.find((radio) => radio.kinds.includes("zwave"))!;
    expect(await list("?kind=zwave&state=present")).toEqual([id]);
    if (serial !== undefined) expect(await list(`?text=${encodeURIComponent(serial.toUpperCase())}`)).toContain(id);
    expect(await list("?text=no-such-thing")).toEqual([]);
    expect(await list("?kind=zwave&text=sonoff")).toEqual([]);
  });

  test("are not sent again to who has them", async () => {
    const first = await ask("listRadios");
    const etag = first.headers.get("etag")!;
    const headers = { "if-none-match": `"other", ${etag}` };
    expect(await ask("listRadios", { headers })).toMatchObject({ status: 304, text: "" });
    await ask("updateRadio", { key: idOf(1), headers: merge, body: '{"name":"new here"}' });
    const changed = await ask("listRadios", { headers });
    expect([changed.status, changed.headers.get("etag") === etag]).toEqual([200, false]);
  });

  test("are named, and what happened is told with them", async () => {
    const key = idOf(2);
    expect((await ask("updateRadio", { key, headers: merge, body: '{"name":"cellar","kind":"thread"}' })).json()).toMatchObject({
      name: "cellar",
      kinds: ["thread"],
    });
    const { recent, holders } = (await ask("getRadio", { key: "cellar" })).json() as { recent: { type: string }[]; holders: unknown };
    expect(recent.map(({ type }) => type).slice(0, 3)).toEqual(expect.arrayContaining(["overridden", "named"]));
    expect(holders).toEqual([]);
    const taken = await ask("updateRadio", { key: idOf(3), headers: merge, body: '{"name":"cellar"}' });
    expect([taken.status, taken.json()]).toEqual([409, expect.objectContaining({ code: "inventory.name-taken" })]);
    const odd = await ask("updateRadio", { key, headers: merge, body: JSON.stringify({ name: "a\nb" }) });
    expect([odd.status, odd.json()]).toEqual([422, expect.objectContaining({ code: "inventory.invalid-name" })]);
    const back = (await ask("updateRadio", { key, headers: merge, body: '{"name":null,"kind":null}' })).json();
    expect(back).not.toHaveProperty("name");
    expect(back["kinds"]).not.toEqual(["thread"]);
  });

  test("say who holds them open", async () => {
    const { id, devicePaths } = daemon.radios.find((radio) => radio.devicePaths[0]?.startsWith("/dev/tty") === true)!;
    await using holder = await daemon.lab.start(["sh", "-c", `exec 3<${devicePaths[0]}; echo held; exec sleep 60`]);
    await holder.waitForLine(/held/u, 10_000);
    const { holders } = (await ask("getRadio", { key: id })).json();
    expect(holders).toEqual([{ pid: expect.any(Number) as number, name: "sleep", path: devicePaths[0], deleted: false }]);
  });
});

test("events come in pages, each once, and from the end", async () => {
  const ids: string[] = [];
  for (let query = "?limit=2"; ;) {
    const { events, next } = (await ask("listEvents", { query })).json() as { events: { id: string; sequence: number }[]; next: string };
    if (events.length === 0) break;
    ids.push(...events.map(({ id }) => id));
    expect(next).toBe(ids.at(-1));
    query = `?limit=2&after=${next}`;
  }
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThanOrEqual(5);
  const newest = (await ask("listEvents", { query: "?order=newest&limit=3" })).json() as { events: { id: string }[]; next: string };
  expect(newest.events.map(({ id }) => id)).toEqual(ids.slice(-3).toReversed());
  expect(newest.next).toBe(ids.at(-1));
  const own = (await ask("listEvents", { query: `?radio=${idOf(0)}` })).json() as { events: { radioId: string }[] };
  expect(new Set(own.events.map(({ radioId }) => radioId))).toEqual(new Set([idOf(0)]));
});

test("a rescan is over when what is plugged in is known", async () => {
  const { revision } = (await ask("rescan")).json();
  expect(revision).toBeGreaterThan(0);
});

test("the configuration and the plugins are told", async () => {
  const { config } = (await ask("getConfig")).json() as { config: { node: { name: string } } };
  expect(config.node.name).toBe("lab-node");
  const { plugins } = (await ask("listPlugins")).json() as { plugins: { name: string; state: string; fingerprints: number }[] };
  expect(plugins.length).toBeGreaterThan(3);
  expect(plugins.every(({ state, fingerprints }) => state === "running" && fingerprints > 0)).toBe(true);
});

test("the documents", async () => {
  const page = await ask("getDocs");
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(page.text).not.toMatch(/<script|https?:\/\//);
  for (const id of operations.keys()) expect(page.text).toContain(`id="${id}"`);
  expect((await ask("getOpenApi")).json()).toMatchObject({ openapi: "3.1.0" });
});

test("all of these statuses were seen", () => {
  expect([...seen].toSorted((a, b) => a - b)).toEqual([200, 304, 400, 404, 409, 410, 413, 414, 415, 422, 426, 431]);
  expect(daemon.output()).not.toContain("request failed");
});
