import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { adapterAdded, addMatchReturn, deviceAdded, helloReturn, managedObjects, nobodyError } from "../../test/fixtures/dbus-messages.ts";
import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import { AerialError } from "../core/errors.ts";
import { createBluez, toAddresses } from "./bluez.ts";
import { decodeMessage, messageLength } from "./dbus-message.ts";

/** A bus that answers with a real bus' bytes. */
interface Bus {
  readonly connections: Set<Socket>;
  /** Members called, in order. */
  readonly calls: string[];
  /** What GetManagedObjects gets; undefined: no answer at all. */
  objects: Uint8Array | undefined;
  readonly send: (message: Uint8Array) => void;
}

function makePlace(): string {
  const directory = mkdtempSync(join(tmpdir(), "aerial-bluez-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "system_bus_socket");
}

async function startBus(path: string, greeting = "DATA\r\nOK 1234\r\n"): Promise<Bus> {
  const connections = new Set<Socket>();
  const bus: Bus = {
    connections,
    calls: [],
    objects: managedObjects,
    send(message) {
      for (const socket of connections) socket.write(message);
    },
  };
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => {});
    socket.write(greeting);
    let pending = Buffer.alloc(0);
    let begun = false;
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      if (!begun) {
        const end = pending.indexOf("BEGIN\r\n");
        if (end < 0) return;
        begun = true;
        pending = pending.subarray(end + 7);
      }
      for (let length = messageLength(pending); length !== undefined && pending.length >= length; length = messageLength(pending)) {
        const { member = "", serial } = decodeMessage(pending.subarray(0, length));
        pending = pending.subarray(length);
        bus.calls.push(member);
        const answer = member === "GetManagedObjects" ? bus.objects : member === "Hello" ? helloReturn : addMatchReturn;
        if (answer !== undefined) socket.write(toReply(answer, serial));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  return bus;
}

/** The message, as a reply to another call: its REPLY_SERIAL field (5, `u`) is changed. */
function toReply(message: Uint8Array, serial: number): Uint8Array {
  const reply = Buffer.from(message);
  reply.writeUInt32LE(serial, reply.indexOf(Buffer.from([5, 1, 0x75, 0])) + 4);
  return reply;
}

function withAddress(message: Uint8Array, from: string, to: string): Uint8Array {
  return Buffer.from(Buffer.from(message).toString("latin1").replace(from, to), "latin1");
}

/** Waits pass at once, deadlines never. */
const quickClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => (milliseconds === 10_000 ? systemClock.sleep(60_000, signal) : systemClock.sleep(10, signal)),
};

function startBluez(socketPath: string, clock: Clock = quickClock) {
  const bluez = createBluez({ socketPath, clock });
  const lifetime = new AbortController();
  const heard: (string | undefined)[] = [];
  const hints: string[][] = [];
  const ended = bluez.source.run(
    { listening: (deaf) => heard.push(deaf), hint: () => hints.push([...bluez.addresses().values()]) },
    lifetime.signal,
  );
  const stop = (): Promise<void> => {
    lifetime.abort(new AerialError("internal.abort", "the test is over"));
    return ended;
  };
  onTestFinished(stop);
  return { bluez, heard, hints, stop };
}

test("nothing is connected to until addresses are wanted", async () => {
  const path = makePlace();
  const bus = await startBus(path);
  const { bluez, hints, stop } = startBluez(path);
  await systemClock.sleep(50, new AbortController().signal);
  expect(bus.connections.size).toBe(0);
  expect(bluez.addresses().size).toBe(0);
  await expect.poll(() => hints).toEqual([["00:1A:7D:DA:71:13"]]);
  expect(bus.calls).toEqual(["Hello", "AddMatch", "AddMatch", "AddMatch", "GetManagedObjects"]);
  await stop();
  await expect.poll(() => bus.connections.size).toBe(0);
});

test("it waits for the bus, and for BlueZ on it", async () => {
  const path = makePlace();
  const { bluez, heard, hints } = startBluez(path);
  bluez.addresses();
  await systemClock.sleep(30, new AbortController().signal);
  const bus = await startBus(path);
  bus.objects = nobodyError;
  await expect.poll(() => hints).toEqual([[]]);
  expect(heard).toEqual([undefined]);
});

test("a controller that comes is a hint with its address, a discovered device is none", async () => {
  const path = makePlace();
  const bus = await startBus(path);
  const { bluez, hints } = startBluez(path);
  bluez.addresses();
  await expect.poll(() => hints).toHaveLength(1);
  bus.objects = withAddress(managedObjects, "71:13", "71:99");
  bus.send(deviceAdded);
  bus.send(adapterAdded);
  await expect.poll(() => hints).toEqual([["00:1A:7D:DA:71:13"], ["00:1A:7D:DA:71:99"]]);
  expect(bus.calls.filter((member) => member === "GetManagedObjects")).toHaveLength(2);
});

test("when the bus goes, addresses are forgotten; when it comes again, they are read again", async () => {
  const path = makePlace();
  const bus = await startBus(path);
  const { bluez, hints } = startBluez(path);
  bluez.addresses();
  await expect.poll(() => hints).toHaveLength(1);
  for (const socket of bus.connections) socket.destroy();
  await expect.poll(() => hints).toHaveLength(2);
  expect(bluez.addresses().get("hci0")).toBe("00:1A:7D:DA:71:13");
});

test.each([
  ["refuses us", "REJECTED EXTERNAL\r\n", /refuses/],
  ["is no bus", "x".repeat(5_000), /no D-Bus/],
  ["breaks off", "DATA\r\nOK 1\r\nrubbish, not a message at all", /malformed|closed/],
])("a bus that %s is said once, and tried again", async (_, greeting, text) => {
  const path = makePlace();
  await startBus(path, greeting);
  const { bluez, heard, hints } = startBluez(path);
  bluez.addresses();
  await expect.poll(() => heard).toHaveLength(1);
  expect(heard[0]).toMatch(text);
  await systemClock.sleep(100, new AbortController().signal);
  expect(heard).toHaveLength(1);
  expect(hints).toEqual([]);
});

test("a BlueZ that does not answer is given up after a deadline", async () => {
  const path = makePlace();
  const bus = await startBus(path);
  bus.objects = undefined;
  const impatient: Clock = { now: () => Date.now(), sleep: (_milliseconds, signal) => systemClock.sleep(200, signal) };
  const { bluez, heard } = startBluez(path, impatient);
  bluez.addresses();
  await expect.poll(() => heard, { timeout: 5_000 }).toHaveLength(1);
  expect(heard[0]).toMatch("does not answer");
});

test("answers of another shape give no addresses", () => {
  expect(toAddresses(undefined)).toEqual(new Map());
  expect(toAddresses("text")).toEqual(new Map());
  const objects = new Map([
    ["/org/bluez/hci0", new Map([["org.bluez.Adapter1", new Map([["Address", "rubbish\n"]])]])],
    ["/org/bluez/hci1", new Map([["org.bluez.Adapter1", new Map()]])],
    ["/elsewhere/hci2", new Map([["org.bluez.Adapter1", new Map([["Address", "00:00:00:00:00:01"]])]])],
    ["/org/bluez/hci3", new Map([["org.bluez.Adapter1", new Map([["Address", "aa:00:00:00:00:01"]])]])],
  ]);
  expect(toAddresses(objects)).toEqual(new Map([["hci3", "AA:00:00:00:00:01"]]));
});
