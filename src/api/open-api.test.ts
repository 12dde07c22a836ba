import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../core/clock.ts";
import { hasCode } from "../core/errors.ts";
import type { Radio, Snapshot } from "../core/radio.ts";
import { apiSources } from "../../test/fixtures/api-sources.ts";
import type { ListenerOptions } from "./listen.ts";
import { openApi } from "./open-api.ts";
import { toDeviceView, toRadioView } from "./radio-view.ts";
import type { ApiSources } from "./sources.ts";

const at = "2026-01-02T03:04:05.678Z";

/** A radio with every field there is, so that none can get lost on the way out. */
const full: Radio = {
  id: "usb-0001",
  idBasis: "serial",
  name: "attic",
  presence: "absent",
  absentSince: at,
  mode: "bootloader",
  lease: { holder: "bridge", owner: "bridge-1", since: at },
  firstSeen: at,
  lastSeen: at,
  device: {
    sysPath: "devices/pci0000:00/usb1/1-1/1-1.2/1-1.2:1.0/ttyUSB0",
    function: "serial",
    driver: "cp210x",
    nodes: [{ path: "/dev/ttyUSB0", major: 188, minor: 0 }],
    byId: "usb-Acme_Stick_0001-if00-port0",
    usb: {
      vendorId: "10c4",
      productId: "ea60",
      release: "0100",
      manufacturer: "Acme \u001b[31m",
      product: "Stick",
      serial: "0001",
      port: "1-1.2",
      busNumber: 1,
      deviceNumber: 7,
      interfaceNumber: 0,
      interfaces: [{ number: 0, classCode: "ff/00/00", driver: "cp210x" }],
    },
    wifi: { phy: "phy0", interfaces: ["wlan0"], accessPoint: true },
    bluetooth: { controller: "hci0", address: "00:11:22:33:44:55" },
    ieee802154: { phy: "wpan-phy0", interfaces: ["wpan0"] },
    platform: { compatible: ["acme,radio"], board: "Acme Board" },
  },
  identity: {
    state: "identified",
    kinds: ["zigbee"],
    certainty: "likely",
    alternatives: ["thread"],
    vendor: "Acme",
    model: "Stick",
    mode: "application",
    adapter: "ember",
    firmware: "1.2.3",
    line: { baudRate: 115_200, rtscts: true },
    evidence: [{ source: "fingerprint", plugin: "zigbee", rule: "acme", score: 90, detail: "product: Stick" }],
  },
};

const radio = (id: string, changes: Partial<Radio> = {}): Radio => ({
  id,
  idBasis: "port",
  presence: "present",
  mode: "application",
  firstSeen: at,
  lastSeen: at,
  device: { sysPath: `devices/${id}`, function: "serial", nodes: [{ path: `/dev/${id}`, major: 188, minor: 1 }] },
  identity: { state: "ambiguous", candidates: ["zigbee", "zwave"], mode: "application", evidence: [] },
  ...changes,
});

const networkRadio = radio("network-1", {
  idBasis: "name",
  identity: full.identity,
  device: {
    sysPath: "network/slzb-06.local:6638",
    function: "network",
    nodes: [],
    network: {
      service: "_slzb-06._tcp",
      instance: "slzb-06",
      text: { radio_type: "znp" },
      host: "slzb-06.local",
      port: 6_638,
      addresses: ["192.0.2.7"],
      others: [{ service: "_zigbee-gateway._tcp", instance: "slzb-06", text: {} }],
      links: ["home"],
      serial: "00124b0001020304",
      mac: "aabbccddee0f",
    },
  },
});

const snapshotOf = (revision: number, radios: readonly Radio[], changes: Partial<Snapshot> = {}): Snapshot => ({
  revision,
  node: "node-1",
  complete: true,
  radios: new Map(radios.map((one) => [one.id, one])),
  others: [],
  ...changes,
});

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const temporaryDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "aerial-api-"));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

async function open(overrides: Partial<Omit<ApiSources, "conditions">> & Partial<ListenerOptions> = {}) {
  const socket = overrides.socket ?? join(temporaryDirectory(), "sub", "a.sock");
  const sources = apiSources();
  const api = await openApi({ ...sources, ...overrides, socket }, new AbortController().signal);
  closers.push(() => api[Symbol.asyncDispose]());
  return { api, socket, ...sources };
}

async function send(options: RequestOptions): Promise<IncomingMessage> {
  const outgoing = request({ agent: false, ...options });
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return response;
}

async function get(socketPath: string, path: string, options: RequestOptions = {}) {
  const response = await send({ socketPath, path, ...options });
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  return { status: response.statusCode, type: response.headers["content-type"], body: JSON.parse(text) as Record<string, unknown> };
}

describe("radios", () => {
  test("come whole, in the list and alone, by id or name", async () => {
    const { socket, snapshots } = await open();
    snapshots.set(snapshotOf(7, [full, radio("r2")]));
    expect((await get(socket, "/api/v1/radios")).body).toEqual({
      revision: 7,
      complete: true,
      radios: [toRadioView(full), toRadioView(radio("r2"))],
    });
    const detail = { ...toRadioView(full), holders: [], holdersUnknown: expect.any(String) as string, recent: [] };
    expect((await get(socket, "/api/v1/radios/usb-0001")).body).toEqual(detail);
    expect((await get(socket, "/api/v1/radios/attic")).body).toEqual(detail);
    snapshots.set(snapshotOf(8, []));
    expect((await get(socket, "/api/v1/radios")).body).toMatchObject({ revision: 8, radios: [] });
  });

  test.each([
    "usb-0001",
    "attic",
    "/dev/ttyUSB0",
    "ttyUSB0",
    "usb-Acme_Stick_0001-if00-port0",
    "/dev/serial/by-id/usb-Acme_Stick_0001-if00-port0",
    "1-1.2",
    "0001",
    full.device.sysPath,
    `/sys/${full.device.sysPath}`,
    "hci0",
    "wlan0",
  ])("are explained when called %s", async (key) => {
    const { socket, snapshots } = await open();
    snapshots.set(snapshotOf(1, [full, radio("r2")]));
    const { body } = await get(socket, `/api/v1/radios/${encodeURIComponent(key)}/explain`);
    expect(body).toEqual({ radios: [toRadioView(full)], others: [] });
  });

  test("that are gone don't answer for who is there now", async () => {
    const { socket, snapshots } = await open();
    const other = {
      device: { ...full.device, sysPath: "other" },
      identity: { state: "unknown", mode: "application", evidence: [] },
    } as const;
    snapshots.set(snapshotOf(1, [full], { others: [other] }));
    const { body } = await get(socket, "/api/v1/radios/ttyUSB0/explain");
    expect(body).toEqual({ radios: [], others: [toDeviceView(other.device, other.identity)] });
  });

  test("that nobody knows are a problem with a code", async () => {
    const { socket } = await open();
    for (const path of ["/api/v1/radios/nix", "/api/v1/radios/nix/explain"]) {
      const { status, type, body } = await get(socket, path);
      expect([status, type]).toEqual([404, "application/problem+json; charset=utf-8"]);
      expect(body).toMatchObject({ type: "about:blank", status: 404, title: "Not Found", code: "inventory.unknown-radio" });
    }
  });
});

test("a radio on the network is shown as one, with all that it announces, and found by where it is", async () => {
  const { socket, snapshots } = await open();
  snapshots.set(snapshotOf(3, [full, networkRadio]));
  const { body } = await get(socket, "/api/v1/radios/network-1");
  expect(body).toMatchObject(JSON.parse(JSON.stringify(toRadioView(networkRadio))) as object);
  expect(body).toMatchObject({
    attachment: "network",
    function: "network",
    serial: "00124b0001020304",
    devicePaths: [],
    network: networkRadio.device.network,
  });
  expect((await get(socket, "/api/v1/radios")).body).toMatchObject({ radios: [{ attachment: "local" }, { attachment: "network" }] });
  for (const key of ["slzb-06.local", "slzb-06.local:6638", "192.0.2.7", "00124b0001020304", "aabbccddee0f"]) {
    expect((await get(socket, `/api/v1/radios/${key}/explain`)).body).toMatchObject({ radios: [{ id: "network-1" }] });
  }
});

describe("the node", () => {
  test("counts radios and tells conditions", async () => {
    const { socket, snapshots, conditions } = await open({
      clock: { ...systemClock, now: () => Date.parse(at) + 61_500 },
      node: () => ({ version: "1.2.3", startedAt: at, kernel: "6.1", blindSpots: [{ what: "x", why: "y" }], cluster: { state: "none" } }),
    });
    conditions.raise("a.b", "warning", "look");
    snapshots.set(
      snapshotOf(3, [
        full,
        networkRadio,
        { ...networkRadio, id: "gone", presence: "absent" },
        radio("r2"),
        radio("r3", { identity: { ...full.identity, kinds: ["zigbee", "thread"] } as Radio["identity"] }),
      ]),
    );
    expect((await get(socket, "/api/v1/node")).body).toEqual({
      name: "node-1",
      version: "1.2.3",
      startedAt: at,
      uptimeSeconds: 61,
      kernel: "6.1",
      revision: 3,
      complete: true,
      counts: { present: 2, absent: 1, others: 0, network: 1, kinds: { zigbee: 1, thread: 1 } },
      blindSpots: [{ what: "x", why: "y" }],
      cluster: { state: "none" },
      conditions: [conditions.current.get("a.b")],
    });
  });

  test("is ready when it says so, alive always, and failing without dying", async () => {
    let ready = false;
    const { socket, conditions } = await open({ readiness: () => ({ ready, waitingFor: ready ? [] : ["first scan"] }) });
    expect(await get(socket, "/readyz")).toMatchObject({ status: 503, body: { ready: false, waitingFor: ["first scan"], status: "ok" } });
    ready = true;
    conditions.raise("a.b", "error", "bad");
    expect(await get(socket, "/readyz")).toMatchObject({ status: 200, body: { ready: true, status: "failing" } });
    expect(await get(socket, "/healthz")).toMatchObject({ status: 200, body: { status: "failing" } });
    expect(await get(socket, "/livez")).toMatchObject({ status: 200, body: { status: "ok" } });
  });
});

describe("what it does not serve", () => {
  test.each([
    ["GET", "/nothing", 404],
    ["POST", "/api/v1/radios", 405],
    ["GET", `/api/v1/radios/${"a".repeat(1500)}`, 414],
    ["GET", "/api/v1/radios/%E0%A4%A", 400],
  ])("%s %s", async (method, path, status) => {
    const { socket } = await open();
    expect(await get(socket, path, { method })).toMatchObject({
      status,
      type: "application/problem+json; charset=utf-8",
      body: { status },
    });
  });

  test("a source that fails is a problem that tells no secrets", async () => {
    const { socket } = await open({
      history: () => {
        throw new TypeError("secret");
      },
    });
    const { status, body } = await get(socket, "/api/v1/events");
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("secret");
  });

  test.each([
    ["garbage", "rubbish\r\n\r\n", "HTTP/1.1 400 "],
    ["endless headers", `GET / HTTP/1.1\r\nx: ${"a".repeat(20_000)}\r\n\r\n`, "HTTP/1.1 431 "],
  ])("%s", async (_what, bytes, start) => {
    const { socket } = await open();
    const client = connect(socket);
    client.write(bytes);
    let answer = "";
    for await (const chunk of client.setEncoding("utf8") as AsyncIterable<string>) answer += chunk;
    expect(answer.startsWith(start)).toBe(true);
    expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({ type: "about:blank" });
  });
});

describe("where it listens", () => {
  test("the socket is for owner and group, and gone afterwards", async () => {
    const { api, socket } = await open();
    expect(statSync(socket).mode & 0o777).toBe(0o660);
    await api[Symbol.asyncDispose]();
    expect(existsSync(socket)).toBe(false);
    await api[Symbol.asyncDispose]();
  });

  test("a socket that a dead process left is replaced", async () => {
    const socket = join(temporaryDirectory(), "a.sock");
    const { spawnSync } = await import("node:child_process");
    spawnSync(process.execPath, [
      "-e",
      `require("node:net").createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    expect(existsSync(socket)).toBe(true);
    await open({ socket });
    expect((await get(socket, "/livez")).status).toBe(200);
  });

  test("a socket that somebody answers on is left alone", async () => {
    const socket = join(temporaryDirectory(), "a.sock");
    const other = createServer().listen(socket);
    closers.push(() => other.close());
    await once(other, "listening");
    await expect(open({ socket })).rejects.toSatisfy((error) => hasCode(error, "api.listen") && error.message.includes("answers"));
    expect(existsSync(socket)).toBe(true);
  });

  test("a file that is no socket is left alone", async () => {
    const socket = join(temporaryDirectory(), "a.sock");
    writeFileSync(socket, "mine");
    await expect(open({ socket })).rejects.toSatisfy((error) => hasCode(error, "api.listen"));
    expect(statSync(socket).size).toBe(4);
  });

  test("a taken port is said, the socket is there all the same, and the port too once it is free", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const { api, socket, conditions } = await open({ port });
    expect(conditions.current.get(`api.listen.127.0.0.1:${port}`)).toMatchObject({
      severity: "error",
      text: expect.stringContaining("EADDRINUSE") as string,
    });
    expect((await get(socket, "/livez")).status).toBe(200);
    other.close();
    await expect.poll(() => api.addresses, { timeout: 5_000 }).toContain(`http://127.0.0.1:${port}`);
    expect(conditions.current.size).toBe(0);
    expect((await send({ host: "127.0.0.1", port, path: "/livez" })).statusCode).toBe(200);
  });

  test("over TCP it answers to loopback names only; over the socket to any", async () => {
    const port = await freePort();
    const { socket } = await open({ port });
    const ask = async (host: string) => (await send({ host: "127.0.0.1", port, path: "/livez", headers: { host } })).statusCode;
    expect(await ask(`localhost:${port}`)).toBe(200);
    expect(await ask("127.0.0.1")).toBe(200);
    expect(await ask(`[::1]:${port}`)).toBe(200);
    expect(await ask("localhost.evil.example")).toBe(421);
    expect(await ask("evil.example:80")).toBe(421);
    expect((await send({ socketPath: socket, path: "/livez", headers: { host: "evil.example" } })).statusCode).toBe(200);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

describe("watching", () => {
  async function watch(socketPath: string) {
    const response = await send({ socketPath, path: "/api/v1/watch" });
    closers.push(() => response.destroy());
    const chunks = (response.setEncoding("utf8") as AsyncIterable<string>)[Symbol.asyncIterator]();
    let rest = "";
    /** The next whole line, or undefined at the end. */
    const next = async (): Promise<Record<string, unknown> | undefined> => {
      while (!rest.includes("\n")) {
        const { done, value } = await chunks.next();
        if (done === true) return undefined;
        rest += value;
      }
      const end = rest.indexOf("\n");
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      return JSON.parse(line) as Record<string, unknown>;
    };
    return { next, response };
  }

  test("tells all at first, then what changes", async () => {
    const { socket, snapshots } = await open();
    snapshots.set(snapshotOf(1, [radio("a"), radio("b")]));
    const { next } = await watch(socket);
    expect(await next()).toEqual({ type: "snapshot", revision: 1, complete: true, radios: [radio("a"), radio("b")].map(toRadioView) });
    snapshots.set(snapshotOf(2, [radio("a", { lastSeen: "2027-01-01T00:00:00.000Z" }), radio("b")]));
    snapshots.set(snapshotOf(3, [radio("a", { presence: "absent", absentSince: at }), radio("c")]));
    expect(await next()).toMatchObject({ type: "changed", revision: 3, radio: { id: "a", state: "absent" } });
    expect(await next()).toMatchObject({ type: "added", radio: { id: "c" } });
    expect(await next()).toMatchObject({ type: "removed", radio: { id: "b" } });
    snapshots.set(snapshotOf(4, [radio("c", { name: "cellar" })]));
    expect(await next()).toMatchObject({ type: "changed", revision: 4, radio: { id: "c", name: "cellar" } });
    expect(await next()).toMatchObject({ type: "removed", revision: 4, radio: { id: "a" } });
  });

  test("starts anew when the first scan completes", async () => {
    const { socket, snapshots } = await open();
    snapshots.set(snapshotOf(1, [radio("a", { presence: "absent" })], { complete: false }));
    const { next } = await watch(socket);
    expect(await next()).toMatchObject({ type: "snapshot", complete: false });
    snapshots.set(snapshotOf(2, [radio("a")]));
    expect(await next()).toMatchObject({ type: "snapshot", complete: true, radios: [{ state: "present" }] });
  });

  test("a quiet line is kept alive", async () => {
    let quiets = 0;
    // The first wait ends with the snapshot, the second with nothing but time.
    const sleep = () => {
      quiets += 1;
      return quiets === 2 ? Promise.resolve() : new Promise<void>(() => {});
    };
    const { socket } = await open({ clock: withSleep(15_000, sleep) });
    const { next } = await watch(socket);
    expect(await next()).toMatchObject({ type: "snapshot" });
    expect(await next()).toEqual({ type: "heartbeat", revision: 1 });
  });

  test("a reader that takes nothing is cut off, and others are not", async () => {
    let cutOff: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      cutOff = resolve;
    });
    let stuck = 0;
    const clock = withSleep(10_000, () => {
      stuck += 1;
      return waiting;
    });
    const { socket, snapshots } = await open({ clock });
    const big = Array.from({ length: 20_000 }, (_, index) => radio(`radio-${index}`));
    snapshots.set(snapshotOf(1, big));
    const slow = await send({ socketPath: socket, path: "/api/v1/watch" });
    slow.pause();
    await expect.poll(() => stuck, { timeout: 8_000 }).toBe(1);
    snapshots.set(snapshotOf(2, []));
    const { next } = await watch(socket);
    expect(await next()).toMatchObject({ type: "snapshot", revision: 2 });
    cutOff();
    const failed = once(slow, "error");
    slow.resume();
    expect(((await failed)[0] as NodeJS.ErrnoException).code).toBe("ECONNRESET");
    snapshots.set(snapshotOf(3, [radio("a")]));
    expect(await next()).toMatchObject({ type: "added", revision: 3 });
  });

  test("there is an end to watchers", async () => {
    const { socket } = await open();
    const watchers = await Promise.all(Array.from({ length: 32 }, () => watch(socket)));
    expect(await get(socket, "/api/v1/watch")).toMatchObject({ status: 503, type: "application/problem+json; charset=utf-8" });
    watchers[0]?.response.destroy();
    await expect.poll(async () => (await watch(socket)).response.statusCode).toBe(200);
  });

  test("ends when the daemon does", async () => {
    const { api, socket } = await open();
    const { next } = await watch(socket);
    await next();
    const ended = next().catch(() => undefined);
    await api[Symbol.asyncDispose]();
    expect(await ended).toBeUndefined();
  });
});

/** A clock whose sleeps of `milliseconds` are `sleep`; all others never end but by their signal. */
function withSleep(milliseconds: number, sleep: () => Promise<void>): Clock {
  return {
    now: () => Date.parse(at),
    sleep: (asked, signal) =>
      asked === milliseconds
        ? sleep()
        : new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
  };
}
