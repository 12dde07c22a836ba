/** `aerial/client` as a program would use it, against a real daemon. */
import { type AerialClient, AerialProblem, createAerialClient, type StreamEvent } from "aerial/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bareCh340, conbee3 } from "../lab/sticks.ts";
import { type ContractDaemon, openContractDaemon } from "./contract-daemon.ts";

let daemon: ContractDaemon;
let client: AerialClient;

beforeAll(async () => {
  daemon = await openContractDaemon();
  client = createAerialClient({ url: daemon.url });
});
afterAll(() => daemon?.[Symbol.asyncDispose]());

const problemOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("asking", () => {
  test("takes parameters by their names and gives what the contract says", async () => {
    const { radios } = await client.listRadios({ kind: "zwave", state: "present" });
    expect(radios.map(({ kinds }) => kinds)).toEqual([["zwave"]]);
    const [radio] = radios;
    const named = await client.updateRadio({ key: radio!.id, body: { name: "Küche & Bad/1" } });
    expect(named.name).toBe("Küche & Bad/1");
    expect((await client.getRadio({ key: "Küche & Bad/1" })).recent[0]).toMatchObject({ type: "named", radioId: radio!.id });
    expect((await client.updateRadio({ key: radio!.id, body: { name: null } })).name).toBeUndefined();
    expect((await client.listEvents({ order: "newest", limit: 1 })).events[0]?.type).toBe("named");
  });

  test("without parameters needs none; text and bytes come as they are", async () => {
    expect((await client.getNode()).name).toBe("lab-node");
    expect((await client.getReadiness()).ready).toBe(true);
    expect((await client.rescan()).revision).toBeGreaterThan(0);
    expect(await client.getMetrics()).toMatch(/^# HELP /);
    expect([...(await client.createSupportBundle()).subarray(0, 2)]).toEqual([0x1f, 0x8b]);
  });

  test("a problem is thrown as what it is", async () => {
    const error = await problemOf(client.getRadio({ key: "nobody" }));
    expect(error).toBeInstanceOf(AerialProblem);
    expect(error).toMatchObject({ status: 404, code: "inventory.unknown-radio", message: expect.stringContaining("nobody") as string });
    expect(await problemOf(client.listRadios({ text: "" }))).toMatchObject({ status: 400 });
  });

  test("something else that answers there is told from a problem of aerial's", async () => {
    const proxy = createAerialClient({
      url: daemon.url,
      fetch: async () => new Response("<h1>Bad Gateway</h1>", { status: 502, headers: { "content-type": "text/html" } }),
    });
    expect(await problemOf(proxy.getNode())).toMatchObject({ status: 502, code: undefined });
  });

  test("a token goes with every request", async () => {
    const sent: (string | null)[] = [];
    const exposed = createAerialClient({
      url: daemon.url,
      token: "let-me-in",
      fetch: (input, init) => {
        sent.push(new Headers(init?.headers).get("authorization"));
        return fetch(input, init);
      },
    });
    await exposed.getNode();
    await exposed.updateRadio({ key: "nobody", body: {} }).catch(() => {});
    expect(sent).toEqual(["Bearer let-me-in", "Bearer let-me-in"]);
  });
});

describe("following", () => {
  test("the watch begins with everything and tells what changes", async () => {
    const stop = new AbortController();
    const lines = client.watchRadios({ signal: stop.signal });
    expect((await lines.next()).value).toMatchObject({ type: "snapshot", complete: true });
    const plugged = await daemon.lab.plug(bareCh340, { port: 7 });
    expect((await lines.next()).value).toMatchObject({ type: "added", radio: { state: "present", usb: { vendorId: "1a86" } } });
    await plugged.unplug();
    await lines.return();
    stop.abort();
  });

  test("events come each once, over connections that break at any time", async () => {
    const stop = new AbortController();
    const { events: before } = await client.listEvents({ limit: 1000 });
    let connections = 0;
    const torn = createAerialClient({ url: daemon.url, fetch: tearing(() => (connections += 1)) });
    const seen: StreamEvent[] = [];
    const followed = (async () => {
      for await (const event of torn.events({ after: "oldest", signal: stop.signal })) {
        seen.push(event);
        if (event.event === "history" && event.data.text.includes("ConBee III") && event.data.type === "detached") break;
      }
    })();
    for (let turn = 0; turn < 3; turn += 1) {
      const plugged = await daemon.lab.plug(conbee3, { port: 8 });
      await daemon.until("ConBee III", (radios) =>
        radios.some(({ model, state }) => model?.includes("III") === true && state === "present"),
      );
      await plugged.unplug();
      await daemon.until("absence", (radios) => radios.every(({ model, state }) => model?.includes("III") !== true || state === "absent"));
    }
    await followed;
    stop.abort();
    const told = seen.flatMap((event) => (event.event === "history" ? [event.data.sequence] : []));
    expect(told).toEqual(told.map((_sequence, index) => before[0]!.sequence + index));
    expect(told.length).toBeGreaterThan(before.length);
    expect(connections).toBeGreaterThan(1);
  });

  test("a beginning that is none is a problem, and not tried for ever", async () => {
    const events = client.events({ after: "yesterday" });
    await expect(events.next()).rejects.toMatchObject({ status: 400 });
  });

  test("ends with its signal, even between two attempts", async () => {
    const stop = new AbortController();
    const away = createAerialClient({ url: "http://127.0.0.1:9", fetch: () => Promise.reject(new TypeError("away")) });
    const next = away.events({ signal: stop.signal }).next();
    setTimeout(() => stop.abort(), 20);
    expect(await next).toMatchObject({ done: true });
  });
});

/** A `fetch` whose first answers break after a few hundred bytes. */
function tearing(opened: () => number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const connection = opened();
    if (response.body === null || connection > 4) return response;
    let left = 300 * connection;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) controller.error(new TypeError("torn"));
      },
    });
    return new Response(response.body.pipeThrough(cut), { status: response.status, headers: response.headers });
  };
}
