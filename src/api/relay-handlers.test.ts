import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../core/clock.ts";
import { AerialError } from "../core/errors.ts";
import type { RelayStatus, RelayTrace, SeenService } from "../core/relay.ts";
import { apiSources } from "../../test/fixtures/api-sources.ts";
import { openApi } from "./open-api.ts";
import type { RelayView } from "./sources.ts";
import type { LostLines } from "./trace-stream.ts";

const at = "2026-01-02T03:04:05.678Z";

/** Every field there is, so that none can get lost on the way out. */
const status: RelayStatus = {
  id: "node-1/1",
  protocols: ["mdns", "ssdp", "wsd", "sonos"],
  links: [
    {
      name: "home",
      interface: "eth0.10",
      vlan: 10,
      mtu: 1500,
      addresses: ["192.0.2.1", "fe80::1"],
      state: "up",
      why: "so",
      heard: { relayed: 7, "send-failed": 1 },
      sent: 5,
      overrun: 2,
    },
    { name: "iot", addresses: [], state: "absent", heard: {}, sent: 0, overrun: 0 },
  ],
  pairs: [{ links: ["home", "iot"], role: "standby", why: "another relays", since: at }],
  rules: [{ text: "deny ask _matter._tcp", hits: 3 }],
  searches: 4,
  services: 1,
};

const service: SeenService = {
  protocol: "mdns",
  service: "_hap._tcp",
  instance: "Lamp \u001b[31m",
  host: "lamp",
  port: 80,
  addresses: ["192.0.2.7"],
  text: { md: "Lamp 1" },
  link: "iot",
  lastSeen: at,
  expires: at,
  relayedTo: ["home"],
};
const { host: _host, port: _port, ...bare } = { ...service, service: "urn:schemas-upnp-org:device:ZonePlayer:1", link: "home" };

const packet = (changes: Partial<RelayTrace> = {}): RelayTrace => ({
  at,
  protocol: "mdns",
  family: 4,
  from: "home",
  source: "192.0.2.5",
  bytes: 40,
  what: "query _hap._tcp.local PTR",
  to: "iot",
  verdict: "relayed",
  ...changes,
});

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A relay that says what it is told to, to everybody who follows. */
function createRelay(): RelayView & { give(...lines: (RelayTrace | LostLines)[]): void; end(error?: Error): void; followers(): number } {
  const followers = new Set<ReadableStreamDefaultController<RelayTrace | LostLines>>();
  return {
    status: () => Promise.resolve(status),
    services: () => Promise.resolve([service, bare]),
    async *trace(signal) {
      const stream = new ReadableStream<RelayTrace | LostLines>({
        start(controller) {
          followers.add(controller);
          signal.addEventListener("abort", () => followers.delete(controller) && controller.close());
        },
      });
      yield* stream as AsyncIterable<RelayTrace | LostLines>;
    },
    give(...lines) {
      for (const follower of followers) for (const line of lines) follower.enqueue(line);
    },
    end(error) {
      for (const follower of followers)
        if (error === undefined) follower.close();
        else follower.error(error);
      followers.clear();
    },
    followers: () => followers.size,
  };
}

async function open(relay?: RelayView, clock: Clock = systemClock) {
  const directory = mkdtempSync(join(tmpdir(), "aerial-relay-api-"));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  const socket = join(directory, "a.sock");
  const api = await openApi(
    {
      ...apiSources(),
      clock,
      socket,
      ...(relay === undefined ? {} : { relay }),
    },
    new AbortController().signal,
  );
  closers.push(() => api[Symbol.asyncDispose]());
  return { api, socket };
}

async function send(socketPath: string, path: string): Promise<IncomingMessage> {
  const outgoing = request({ agent: false, socketPath, path });
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  closers.push(() => response.destroy());
  return response;
}

async function get(socketPath: string, path: string) {
  const response = await send(socketPath, path);
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  return { status: response.statusCode, body: JSON.parse(text) as unknown };
}

async function follow(socketPath: string, query = "") {
  const response = await send(socketPath, `/api/v1/relay/trace${query}`);
  expect(response.statusCode).toBe(200);
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

describe("where no relay is configured", () => {
  test.each(["", "/services", "/trace"])("/api/v1/relay%s says so, and what to do", async (path) => {
    const { socket } = await open();
    expect(await get(socket, `/api/v1/relay${path}`)).toMatchObject({
      status: 404,
      body: { code: "relay.off", hint: expect.stringContaining("relay") as string },
    });
  });
});

test("the status comes whole", async () => {
  const { socket } = await open(createRelay());
  expect(await get(socket, "/api/v1/relay")).toEqual({ status: 200, body: status });
});

test("a relay that is away is said to be", async () => {
  const away = () => Promise.reject(new AerialError("relay.away", "the relay is not running just now"));
  const { socket } = await open({ ...createRelay(), status: away, services: away });
  expect(await get(socket, "/api/v1/relay")).toMatchObject({ status: 503, body: { code: "relay.away" } });
  expect(await get(socket, "/api/v1/relay/services")).toMatchObject({ status: 503, body: { code: "relay.away" } });
});

test.each([
  ["", [service, bare]],
  ["?service=_HAP", [service]],
  ["?service=zoneplayer", [bare]],
  ["?link=home", [bare]],
  ["?link=home&service=hap", []],
  ["?link=hom", []],
])("services%s", async (query, expected) => {
  const { socket } = await open(createRelay());
  expect(await get(socket, `/api/v1/relay/services${query}`)).toEqual({ status: 200, body: expected });
});

test.each(["services?radio=1", "services?link=", "trace?verdict=lost", "trace?link=a&link=b", `trace?service=${"a".repeat(257)}`])(
  "refuses %s",
  async (path) => {
    const { socket } = await open(createRelay());
    expect(await get(socket, `/api/v1/relay/${path}`)).toMatchObject({ status: 400 });
  },
);

describe("the trace", () => {
  test("is a line for each packet", async () => {
    const relay = createRelay();
    const { socket } = await open(relay);
    const { next } = await follow(socket);
    relay.give(packet(), packet({ verdict: "echo", why: "came round" }));
    expect(await next()).toEqual({ type: "packet", ...packet() });
    expect(await next()).toEqual({ type: "packet", ...packet({ verdict: "echo", why: "came round" }) });
  });

  test.each([
    ["link=iot", packet()],
    ["link=lab", packet({ from: "lab" })],
    ["service=_IPP", packet({ what: "answer _ipp._tcp.local" })],
    ["verdict=rule", packet({ verdict: "rule" })],
    ["link=lab&verdict=rule", packet({ verdict: "rule", from: "lab" })],
  ])("with %s tells of that only", async (query, wanted) => {
    const relay = createRelay();
    const { socket } = await open(relay);
    const { next } = await follow(socket, `?${query}`);
    const { to: _to, ...unsent } = packet({ verdict: "own" });
    relay.give({ ...unsent, from: "guest" }, wanted, { lost: 9 });
    expect(await next()).toEqual({ type: "packet", ...wanted });
    expect(await next()).toEqual({ type: "lost", lines: 9 });
  });

  test("a reader too slow for it loses lines, is told how many, and holds up nobody", async () => {
    const relay = createRelay();
    // Nobody is cut off, however slow this machine is.
    const { socket } = await open(relay, { now: () => systemClock.now(), sleep: () => new Promise<void>(() => {}) });
    const slow = await follow(socket);
    slow.response.pause();
    const quick = await follow(socket);
    const many = 20_000;
    let seen = 0;
    for (let sent = 0; sent < many; sent += 100) {
      relay.give(...Array.from({ length: 100 }, (_, index) => packet({ bytes: sent + index })));
      for (let index = 0; index < 100; index += 1) {
        expect(await quick.next()).toMatchObject({ type: "packet", bytes: seen });
        seen += 1;
      }
    }
    let told = 0;
    let lost = 0;
    let before = -1;
    slow.response.resume();
    while (told + lost < many) {
      const line = await slow.next();
      if (line?.["type"] === "lost") lost += Number(line["lines"]);
      else {
        told += 1;
        expect(Number(line?.["bytes"])).toBeGreaterThan(before);
        before = Number(line?.["bytes"]);
      }
    }
    expect(told + lost).toBe(many);
    expect(lost).toBeGreaterThan(0);
    expect(told).toBeGreaterThan(1_999);
  }, 30_000);

  test("a reader that takes nothing at all is cut off, and others are not", async () => {
    const relay = createRelay();
    let cutOff: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      cutOff = resolve;
    });
    let stuck = 0;
    const clock: Clock = {
      now: () => systemClock.now(),
      sleep(milliseconds, signal) {
        if (milliseconds !== 10_000) return systemClock.sleep(milliseconds, signal);
        stuck += 1;
        return waiting;
      },
    };
    const { socket } = await open(relay, clock);
    const slow = await follow(socket);
    slow.response.pause();
    // Far more than the sockets' buffers hold.
    relay.give(...Array.from({ length: 2_000 }, () => packet({ what: "a".repeat(1_000) })));
    await expect.poll(() => stuck, { timeout: 8_000 }).toBeGreaterThan(0);
    cutOff();
    await expect.poll(() => relay.followers()).toBe(0);
    const { next } = await follow(socket);
    relay.give(packet());
    expect(await next()).toEqual({ type: "packet", ...packet() });
  });

  test("a quiet line is kept alive", async () => {
    const relay = createRelay();
    const clock: Clock = {
      now: () => systemClock.now(),
      sleep: (milliseconds, signal) => systemClock.sleep(milliseconds === 15_000 ? 5 : milliseconds, signal),
    };
    const { socket } = await open(relay, clock);
    const { next } = await follow(socket);
    expect(await next()).toEqual({ type: "heartbeat" });
  });

  test("who leaves is followed no longer, and a ninth may not come", async () => {
    const relay = createRelay();
    const { socket } = await open(relay);
    const readers = await Promise.all(Array.from({ length: 8 }, () => follow(socket)));
    expect(await get(socket, "/api/v1/relay/trace")).toMatchObject({ status: 503 });
    expect(relay.followers()).toBe(8);
    readers[0]?.response.destroy();
    await expect.poll(() => relay.followers()).toBe(7);
    await follow(socket);
  });

  test.each([
    ["ends", undefined],
    ["fails", new Error("gone")],
  ])("is over when the relay %s", async (_how, error) => {
    const relay = createRelay();
    const { socket } = await open(relay);
    const { next } = await follow(socket);
    relay.end(error);
    expect(await next()).toBeUndefined();
  });

  test("is over when the daemon stops", async () => {
    const relay = createRelay();
    const { api, socket } = await open(relay);
    const { next } = await follow(socket);
    const ended = next().catch(() => undefined);
    await api[Symbol.asyncDispose]();
    expect(await ended).toBeUndefined();
    expect(relay.followers()).toBe(0);
  });
});
