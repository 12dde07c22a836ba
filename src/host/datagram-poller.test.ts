import { closeSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { type DatagramAddress, type DatagramSocket, openDatagrams } from "./datagram.ts";
import { createDatagramPoller, type DatagramPollerOptions } from "./datagram-poller.ts";
import { openWake, takeWakes } from "./wake.ts";

const loopback = { name: "lo", index: 1 };
const datagrams = await openDatagrams();

function openSocket(): DatagramSocket {
  const socket = datagrams.openReply({ family: 4, link: loopback, hops: 255 });
  onTestFinished(() => socket[Symbol.dispose]());
  return socket;
}

function openPoller(options?: DatagramPollerOptions) {
  const poller = createDatagramPoller(datagrams, options);
  onTestFinished(() => poller[Symbol.dispose]());
  return poller;
}

function to(socket: DatagramSocket): DatagramAddress {
  return { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: socket.port };
}

const sender = datagrams.openReply({ family: 4, link: loopback, hops: 255 });
const sayTo = (socket: DatagramSocket, ...bytes: readonly number[]): number => sender.send(Uint8Array.from(bytes), to(socket));

/** The kernel begins to stamp datagrams on arrival some time after the first socket asks for it; until then it stamps what is read. */
beforeAll(() => {
  using poller = createDatagramPoller(datagrams);
  const waits: number[] = [];
  poller.add(sender, (_payload, _source, { arrivedAt }) => void waits.push(Date.now() - arrivedAt));
  while (!waits.some((ms) => ms > 10)) {
    sayTo(sender, 1);
    pause(20);
    while (poller.poll(0) > 0);
  }
});

/** Also long enough for what was sent to be where it is to be read, on a busy machine too. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("a datagram comes with its source and its time", () => {
  const [socket, poller] = [openSocket(), openPoller()];
  const heard: unknown[] = [];
  poller.add(socket, (payload, source, { arrivedAt, truncated }) => {
    heard.push([[...payload], source.port, [...source.bytes], truncated]);
    expect(Math.abs(Date.now() - arrivedAt)).toBeLessThan(5_000);
  });
  expect(sayTo(socket, 1, 2, 3)).toBe(0);
  expect(sayTo(socket)).toBe(0);
  pause(100);
  expect(poller.poll(1_000)).toBe(2);
  expect(heard).toEqual([
    [[1, 2, 3], sender.port, [127, 0, 0, 1], false],
    [[], sender.port, [127, 0, 0, 1], false],
  ]);
  expect(poller.poll(0)).toBe(0);
});

test("what came over several sockets is delivered in the order it came in", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { maxLength: 60 }), (order) => {
      using poller = createDatagramPoller(datagrams);
      using stack = new DisposableStack();
      const sockets = Array.from({ length: 5 }, () => stack.use(datagrams.openReply({ family: 4, link: loopback, hops: 255 })));
      const heard: number[] = [];
      for (const socket of sockets) poller.add(socket, ([number = -1]) => void heard.push(number));
      for (const [number, which] of order.entries()) sayTo(sockets[which] ?? sender, number);
      const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((one, other) => one - other);
      for (let from = 0; heard.length < order.length; from = heard.length) {
        poller.poll(1_000);
        // What came too late for this turn, or was too much for it, comes in the next.
        expect(heard.slice(from)).toEqual(sorted(heard.slice(from)));
      }
      expect(sorted(heard)).toEqual(order.map((_, number) => number));
    }),
    { numRuns: 20 },
  );
});

test("a socket with more than enough holds up no other", () => {
  const [busy, quiet, poller] = [openSocket(), openSocket(), openPoller()];
  const heard: string[] = [];
  poller.add(busy, () => void heard.push("busy"));
  poller.add(quiet, () => void heard.push("quiet"));
  for (let count = 0; count < 200; count += 1) sayTo(busy, count);
  sayTo(quiet, 0);
  pause(100);
  expect(poller.poll(0)).toBe(33);
  expect(heard.indexOf("quiet")).toBe(32);
  while (poller.poll(0) > 0);
  expect(heard).toHaveLength(201);
});

test("of more sockets than there are places in a turn, each has its turn", () => {
  const poller = openPoller();
  const heard = new Map<number, number>();
  const sockets = Array.from({ length: 300 }, openSocket);
  for (const [index, socket] of sockets.entries()) poller.add(socket, () => void heard.set(index, (heard.get(index) ?? 0) + 1));
  for (const socket of sockets) for (let count = 0; count < 3; count += 1) sayTo(socket, count);
  pause(100);
  expect(poller.poll(0)).toBe(256);
  expect(poller.poll(0)).toBe(256);
  expect(heard.size).toBe(300);
  while (poller.poll(0) > 0);
  expect([...heard.values()].every((count) => count === 3)).toBe(true);
});

test("what does not fit is cut, and said to be", () => {
  const [socket, poller] = [openSocket(), openPoller({ slotBytes: 4 })];
  const heard: unknown[] = [];
  poller.add(socket, (payload, _source, { truncated }) => void heard.push([[...payload], truncated]));
  sayTo(socket, 1, 2, 3, 4);
  sayTo(socket, 1, 2, 3, 4, 5);
  pause(100);
  poller.poll(1_000);
  expect(heard).toEqual([
    [[1, 2, 3, 4], false],
    [[1, 2, 3, 4], true],
  ]);
});

test("the longest datagram that UDP carries is whole", () => {
  const [socket, poller] = [openSocket(), openPoller()];
  let heard: Uint8Array = new Uint8Array();
  poller.add(socket, (payload) => (heard = payload.slice()));
  const longest = Uint8Array.from({ length: 65_507 }, (_, index) => index % 251);
  expect(sender.send(longest, to(socket))).toBe(0);
  poller.poll(1_000);
  expect(Buffer.from(heard).equals(longest)).toBe(true);
});

test("a listener may remove, close and add sockets, its own too", () => {
  const [first, second, third, late, poller] = [openSocket(), openSocket(), openSocket(), openSocket(), openPoller()];
  const heard: string[] = [];
  poller.add(second, () => void heard.push("second"));
  poller.add(third, () => void heard.push("third"));
  poller.add(first, () => {
    heard.push("first");
    poller.remove(second);
    third[Symbol.dispose]();
    first[Symbol.dispose]();
    poller.add(late, () => void heard.push("late"));
  });
  for (const socket of [first, first, second, third, late]) sayTo(socket, 1);
  pause(100);
  expect(poller.poll(1_000)).toBe(1);
  expect(poller.poll(1_000)).toBe(1);
  expect(heard).toEqual(["first", "late"]);
  expect(poller.poll(0)).toBe(0);
  poller.add(second, () => void heard.push("second again"));
  sayTo(second, 2);
  poller.poll(1_000);
  expect(heard.slice(2)).toEqual(["second again"]);
});

test("a descriptor closed behind our back is told of once, and the others go on", () => {
  const errors: unknown[] = [];
  const broken = datagrams.openReply({ family: 4, link: loopback, hops: 255 });
  const [whole, poller] = [openSocket(), openPoller({ onError: (socket, errno) => void errors.push([socket, errno]) })];
  // Nothing else in this process opens descriptors meanwhile.
  closeSync(broken.descriptor);
  let heard = 0;
  poller.add(broken, () => {});
  poller.add(whole, () => (heard += 1));
  sayTo(whole, 1);
  poller.poll(1_000);
  sayTo(whole, 1);
  poller.poll(1_000);
  expect(heard).toBe(2);
  expect(errors).toEqual([[broken, constants.errno.EBADF]]);
});

test("other descriptors are told of while there is something to read", async () => {
  using other = await openWake();
  const poller = openPoller();
  let told = 0;
  const readable = poller.addReadable(other.descriptor, () => (told += 1));
  poller.poll(0);
  expect(told).toBe(0);
  other.wake();
  poller.poll(10_000);
  expect(told).toBe(1);
  poller.poll(0);
  expect(told).toBe(2);
  takeWakes(other.descriptor);
  poller.poll(0);
  expect(told).toBe(2);
  readable[Symbol.dispose]();
  other.wake();
  poller.poll(200);
  expect(told).toBe(2);
});

test("another thread ends the wait", async () => {
  using wake = await openWake();
  const poller = openPoller();
  using _woken = poller.addReadable(wake.descriptor, () => takeWakes(wake.descriptor));
  const startedMs = performance.now();
  wakeFromThread(wake.descriptor);
  poller.poll(60_000);
  expect(performance.now() - startedMs).toBeLessThan(30_000);
  // And only once.
  const againMs = performance.now();
  poller.poll(50);
  expect(performance.now() - againMs).toBeGreaterThan(40);
});

test("what the kernel dropped is counted, and not forgotten when the socket closes", () => {
  const [socket, poller] = [openSocket(), openPoller()];
  let heard = 0;
  poller.add(socket, () => (heard += 1));
  const payload = new Uint8Array(1_000);
  for (let count = 0; count < 800; count += 1) sender.send(payload, to(socket));
  pause(100);
  while (poller.poll(0) > 0);
  expect(heard).toBeLessThan(800);
  expect(socket.overrun()).toBe(800 - heard);
  socket[Symbol.dispose]();
  expect(socket.overrun()).toBe(800 - heard);
});

test("a closed socket sends nothing, and an address of the other family is refused", () => {
  const socket = openSocket();
  expect(socket.send(Uint8Array.of(1), { family: 6, bytes: new Uint8Array(16), port: 1 })).toBe(constants.errno.EAFNOSUPPORT);
  socket[Symbol.dispose]();
  expect(socket.closed).toBe(true);
  expect(socket.send(Uint8Array.of(1), to(sender))).toBe(constants.errno.EBADF);
});

test("what cannot be opened says which call failed, and leaves nothing behind", () => {
  const missing = { name: "none0", index: 999_999 };
  const before = readdirSync("/proc/self/fd").length;
  expect(() => datagrams.openReply({ family: 4, link: missing, hops: 255 })).toThrow(
    expect.objectContaining({
      code: "relay.socket",
      message: "cannot open a socket for answers on none0: IP_MULTICAST_IF (EADDRNOTAVAIL; there is no such interface)",
    }),
  );
  expect(readdirSync("/proc/self/fd")).toHaveLength(before);
  expect(() => datagrams.openGroup({ family: 4, link: loopback, group: "ff02::fb", port: 5353, hops: 255 })).toThrow(
    "ff02::fb is no IPv4 group",
  );
});

/** From a thread of its own, which blocks on nothing of ours. */
function wakeFromThread(descriptor: number): void {
  const worker = new Worker(
    `const { workerData } = require("node:worker_threads");
     require("node:fs").writeSync(workerData.descriptor, workerData.message);`,
    { eval: true, workerData: { descriptor, message: new Uint8Array(BigUint64Array.of(1n).buffer) } },
  );
  onTestFinished(async () => void (await worker.terminate()));
}
