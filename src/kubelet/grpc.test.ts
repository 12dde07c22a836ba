import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cell } from "../core/cell.ts";
import { AerialError } from "../core/errors.ts";
import { silentLog } from "../core/log.ts";
import { type DeviceList, devicePlugin } from "./device-plugin-messages.ts";
import { openGrpcClient } from "./grpc-client.ts";
import { type GrpcHandler, openGrpcServer, serverStream, unary } from "./grpc-server.ts";

let directory = "";
let path = "";
const forever = new AbortController().signal;
const soon = { signal: forever, deadlineMs: 5_000 };
const log = silentLog;
const ids = (...devicesIds: string[]): { readonly devicesIds: readonly string[] } => ({ devicesIds });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "aerial-grpc-"));
  path = join(directory, "plugin.sock");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const echo = unary(devicePlugin.preStartContainer, ({ devicesIds }) => {
  if (devicesIds[0] === "away") throw new AerialError("kubelet.refused", "the “Gerät” is away\nfor now \u{d800}");
  if (devicesIds[0] === "bug") throw new TypeError("undefined is not a function");
  return {};
});

function lists(cell: Cell<DeviceList>): GrpcHandler {
  return serverStream(devicePlugin.listAndWatch, (_request, signal) => cell.changes(signal));
}

describe("calls", () => {
  it("are answered, and refused with the handler's words", async () => {
    await using _server = await openGrpcServer({ path, handlers: [echo], log });
    using client = openGrpcClient({ path });
    await expect(client.call(devicePlugin.preStartContainer, ids("a"), soon)).resolves.toEqual({});
    await expect(client.call(devicePlugin.preStartContainer, ids("away"), soon)).rejects.toMatchObject({
      code: "kubelet.refused",
      message: expect.stringContaining("FAILED_PRECONDITION the “Gerät” is away"),
    });
    await expect(client.call(devicePlugin.preStartContainer, ids("bug"), soon)).rejects.toMatchObject({ code: "kubelet.refused" });
    await expect(client.call(devicePlugin.getOptions, {}, soon)).rejects.toMatchObject({ details: { status: "UNIMPLEMENTED" } });
  });

  it("end at their deadline, with their signal, and where nobody listens", async () => {
    const cancelled = Promise.withResolvers<void>();
    const stuck = unary(devicePlugin.preStartContainer, async (_request, signal) => {
      await once(signal, "abort");
      cancelled.resolve();
      return {};
    });
    await using _server = await openGrpcServer({ path, handlers: [stuck], log });
    using client = openGrpcClient({ path });
    const late = client.call(devicePlugin.preStartContainer, ids(), { signal: forever, deadlineMs: 50 });
    await expect(late).rejects.toMatchObject({ code: "kubelet.unreachable", message: expect.stringContaining("50 ms") });
    await cancelled.promise;
    const stop = new AbortController();
    const aborted = client.call(devicePlugin.preStartContainer, ids(), { ...soon, signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    using nobody = openGrpcClient({ path: join(directory, "nobody.sock") });
    await expect(nobody.call(devicePlugin.getOptions, {}, soon)).rejects.toMatchObject({ code: "kubelet.unreachable" });
  });
});

describe("streams", () => {
  it("carry the newest, and end when either side leaves", async () => {
    const cell = new Cell<DeviceList>({ devices: [] });
    const server = await openGrpcServer({ path, handlers: [lists(cell)], log });
    using client = openGrpcClient({ path });
    const stream = client.stream(devicePlugin.listAndWatch, {}, forever);
    expect((await stream.next()).value).toEqual({ devices: [] });
    cell.set({ devices: [{ ID: "a", health: "Healthy" }] });
    expect((await stream.next()).value).toEqual({ devices: [{ ID: "a", health: "Healthy" }] });
    const closedAt = performance.now();
    const [last] = await Promise.all([stream.next(), server[Symbol.asyncDispose]()]);
    expect(last.done).toBe(true);
    expect(performance.now() - closedAt).toBeLessThan(900);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("of a reader that takes nothing cost no more than the newest", async () => {
    const cell = new Cell<DeviceList>({ devices: [] });
    await using _server = await openGrpcServer({ path, handlers: [lists(cell)], log });
    using client = openGrpcClient({ path });
    const stream = client.stream(devicePlugin.listAndWatch, {}, forever);
    await stream.next();
    const many = Array.from({ length: 1_000 }, (_, index) => ({ ID: `${index}`.padStart(63, "0"), health: "Healthy" as const }));
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 300; round += 1) {
      cell.set({ devices: [...many, { ID: `${round}`, health: "Healthy" }] });
      await sleep(1);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_048_576);
    await stream.return();
  });
});

describe("the socket", () => {
  it("replaces a stale one, and leaves a newer one alone", async () => {
    writeFileSync(path, "");
    const older = await openGrpcServer({ path, handlers: [echo], log });
    expect(older.isInPlace()).toBe(true);
    await using newer = await openGrpcServer({ path, handlers: [echo], log });
    expect(older.isInPlace()).toBe(false);
    await older[Symbol.asyncDispose]();
    expect(newer.isInPlace()).toBe(true);
    using client = openGrpcClient({ path });
    await expect(client.call(devicePlugin.preStartContainer, ids("a"), soon)).resolves.toEqual({});
    rmSync(path);
    expect(newer.isInPlace()).toBe(false);
  });

  it("has a path of 107 bytes at most", async () => {
    const longest = join(directory, "s".repeat(106 - Buffer.byteLength(directory)));
    expect(Buffer.byteLength(longest)).toBe(107);
    {
      await using _server = await openGrpcServer({ path: longest, handlers: [echo], log });
      using client = openGrpcClient({ path: longest });
      await client.call(devicePlugin.preStartContainer, ids("a"), soon);
    }
    await expect(openGrpcServer({ path: `${longest}s`, handlers: [echo], log })).rejects.toMatchObject({ code: "kubelet.socket-path" });
    expect(() => openGrpcClient({ path: `${longest}s` })).toThrow("108 bytes");
  });

  it("may have any name", async () => {
    const odd = join(directory, "a b%20ü#?.sock");
    await using _server = await openGrpcServer({ path: odd, handlers: [echo], log });
    using client = openGrpcClient({ path: odd });
    await expect(client.call(devicePlugin.preStartContainer, ids("a"), soon)).resolves.toEqual({});
  });

  it("cannot be had in a directory that is not there", async () => {
    await expect(openGrpcServer({ path: join(directory, "no", "x.sock"), handlers: [], log })).rejects.toMatchObject({
      code: "kubelet.socket",
    });
  });
});

async function say(bytes: Uint8Array): Promise<void> {
  const socket = connect(path);
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  socket.end(bytes);
  await Promise.race([once(socket, "close").catch(() => {}), sleep(20)]);
  socket.destroy();
}

describe("what is hostile", () => {
  const preface = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);

  it("garbage, with and without the beginning of HTTP/2, ends nothing but its connection", async () => {
    const cell = new Cell<DeviceList>({ devices: [] });
    await using _server = await openGrpcServer({ path, handlers: [echo, lists(cell)], log });
    using client = openGrpcClient({ path });
    const stream = client.stream(devicePlugin.listAndWatch, {}, forever);
    await stream.next();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, polite) => {
        await say(polite ? Buffer.concat([preface, bytes]) : bytes);
      }),
      { numRuns: 60 },
    );
    await expect(client.call(devicePlugin.preStartContainer, ids("a"), soon)).resolves.toEqual({});
    cell.set({ devices: [{ ID: "b", health: "Unhealthy" }] });
    expect((await stream.next()).value).toEqual({ devices: [{ ID: "b", health: "Unhealthy" }] });
    await stream.return();
  });

  it("messages of any bytes are decoded or refused", async () => {
    await using _server = await openGrpcServer({ path, handlers: [echo], log });
    using client = openGrpcClient({ path });
    const raw = { encode: (bytes: Uint8Array) => Buffer.from(bytes), decode: (bytes: Uint8Array) => bytes };
    const method = { ...devicePlugin.preStartContainer, request: raw };
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        await client.call(method, bytes, soon).catch((error: unknown) => expect(error).toMatchObject({ code: "kubelet.refused" }));
      }),
      { numRuns: 200 },
    );
    // Groups within groups, as deep as the size allows.
    await expect(client.call(method, Buffer.alloc(200_000, 0x0b), soon)).rejects.toMatchObject({ code: "kubelet.refused" });
    await expect(client.call(method, Buffer.alloc(262_145), soon)).rejects.toMatchObject({ details: { status: "RESOURCE_EXHAUSTED" } });
    await expect(client.call(devicePlugin.preStartContainer, ids("a"), soon)).resolves.toEqual({});
  });

  it("thousands of connections do not shut out one that is used", async () => {
    const cell = new Cell<DeviceList>({ devices: [] });
    await using _server = await openGrpcServer({ path, handlers: [echo, lists(cell)], log });
    using client = openGrpcClient({ path });
    const stream = client.stream(devicePlugin.listAndWatch, {}, forever);
    await stream.next();
    const crowd: Socket[] = [];
    for (let count = 0; count < 2_000; count += 1) {
      const socket = connect(path);
      socket.on("error", () => {});
      socket.resume();
      if (count % 2 === 0) socket.write(preface);
      crowd.push(socket);
      if (count % 100 === 99) await sleep(5);
    }
    cell.set({ devices: [{ ID: "c", health: "Healthy" }] });
    expect((await stream.next()).value).toEqual({ devices: [{ ID: "c", health: "Healthy" }] });
    using second = openGrpcClient({ path });
    await expect(second.call(devicePlugin.preStartContainer, ids("a"), soon)).resolves.toEqual({});
    await sleep(50);
    expect(crowd.filter((socket) => !socket.destroyed).length).toBeLessThan(65);
    for (const socket of crowd) socket.destroy();
    await stream.return();
  });

  it("a server that answers with garbage, or with nothing", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    }).listen(path);
    await once(server, "listening");
    using client = openGrpcClient({ path });
    await expect(client.call(devicePlugin.getOptions, {}, { ...soon, deadlineMs: 500 })).rejects.toMatchObject({
      code: "kubelet.unreachable",
    });
    server.close();
    expect(existsSync(path)).toBe(false);
  });
});
