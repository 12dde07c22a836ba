import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createConnectionTable } from "./connection-table.ts";

/** What the table uses of a socket; it carries no bytes. */
class Line extends EventEmitter {
  destroyed = false;
  readonly remoteAddress: string;
  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }
}

const limits = { most: 8, mostPerClient: 4, waitMs: 10_000, readMs: 10_000 };

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

function open(changes: Partial<typeof limits> = {}) {
  const table = createConnectionTable({ limits: { ...limits, ...changes }, now: () => performance.now() });
  const connect = (address: string): Line => {
    const line = new Line(address);
    table.add(line as unknown as Socket);
    return line;
  };
  /** A request whose headers have come. `end` ends its body; the answer's states are set by hand. */
  const ask = (line: Line, headers: Record<string, string> = {}) => {
    const request = Object.assign(new EventEmitter(), { headers });
    const response = Object.assign(new EventEmitter(), { headersSent: false, writableEnded: false });
    table.serve(line as unknown as Socket, {
      request: request as unknown as IncomingMessage,
      response: response as unknown as ServerResponse,
    });
    return { request, response };
  };
  const many = (count: number, address: (index: number) => string): Line[] =>
    Array.from({ length: count }, (_, index) => connect(address(index)));
  return { table, connect, ask, many };
}

const alive = (lines: readonly Line[]): boolean[] => lines.map(({ destroyed }) => !destroyed);

describe("when there are too many", () => {
  test("the newest is taken and the one that waits for the longest goes", () => {
    const { many, table } = open();
    const lines = many(10, (index) => `192.0.2.${index}`);
    expect(alive(lines)).toEqual([false, false, ...Array<boolean>(8).fill(true)]);
    expect([table.size, table.evicted]).toEqual([8, 2]);
  });

  test("it is one of the client with the most", () => {
    const { many } = open({ mostPerClient: 8 });
    const [early] = many(1, () => "192.0.2.1");
    const greedy = many(7, () => "192.0.2.2");
    many(1, () => "192.0.2.3");
    expect(early?.destroyed).toBe(false);
    expect(alive(greedy)).toEqual([false, ...Array<boolean>(6).fill(true)]);
  });

  test("of one client, its own go first", () => {
    const { many } = open();
    const lines = many(6, () => "2001:db8::1");
    expect(alive(lines)).toEqual([false, false, true, true, true, true]);
  });

  test("nobody who is being answered goes; who comes then does", () => {
    const { many, ask } = open({ mostPerClient: 8 });
    const served = many(8, (index) => `192.0.2.${index}`);
    for (const line of served) ask(line);
    const [late] = many(1, () => "192.0.2.9");
    expect(alive(served)).toEqual(Array<boolean>(8).fill(true));
    expect(late?.destroyed).toBe(true);
  });

  test("who does not send the body promised is not being answered yet", () => {
    const { many, ask } = open();
    const slow = many(8, (index) => `192.0.2.${index}`);
    const asked = slow.map((line) => ask(line, { "content-length": "10" }));
    asked[1]?.request.emit("end");
    many(2, (index) => `192.0.2.${20 + index}`);
    expect(alive(slow)).toEqual([false, true, false, ...Array<boolean>(5).fill(true)]);
  });

  test("streams do not count, and do not go", () => {
    const { many, ask, table } = open({ mostPerClient: 100 });
    const streams = many(8, (index) => `192.0.2.${index}`);
    for (const line of streams) ask(line).response.headersSent = true;
    const sockets = many(8, (index) => `192.0.3.${index}`);
    for (const line of sockets) table.upgrade(line as unknown as Socket);
    const others = many(8, (index) => `192.0.4.${index}`);
    expect(alive([...streams, ...sockets, ...others])).toEqual(Array<boolean>(24).fill(true));
    many(1, () => "192.0.5.1");
    expect(others[0]?.destroyed).toBe(true);
  });

  test("who was given the whole answer and does not take it goes in the end", () => {
    const { many, ask } = open({ mostPerClient: 8 });
    const readers = many(8, (index) => `192.0.2.${index}`);
    for (const line of readers) Object.assign(ask(line).response, { headersSent: true, writableEnded: true });
    vi.advanceTimersByTime(10_001);
    const [late] = many(1, () => "192.0.2.9");
    expect([late?.destroyed, readers[0]?.destroyed, readers[1]?.destroyed]).toEqual([false, true, false]);
  });
});

describe("in time", () => {
  test("who says nothing is cut off, each when its own time is up", () => {
    const { connect } = open();
    const first = connect("192.0.2.1");
    vi.advanceTimersByTime(5_000);
    const second = connect("192.0.2.1");
    vi.advanceTimersByTime(5_000);
    expect(alive([first, second])).toEqual([false, true]);
    vi.advanceTimersByTime(5_001);
    expect(second.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an answer may take as long as it takes; after it the time runs anew", () => {
    const { connect, ask } = open();
    const line = connect("192.0.2.1");
    const { response } = ask(line);
    vi.advanceTimersByTime(60_000);
    expect(line.destroyed).toBe(false);
    response.emit("close");
    vi.advanceTimersByTime(9_000);
    expect(line.destroyed).toBe(false);
    vi.advanceTimersByTime(1_001);
    expect(line.destroyed).toBe(true);
  });

  test("a body that ends after the answer does not make it safe for ever", () => {
    const { connect, ask } = open();
    const line = connect("192.0.2.1");
    const { request, response } = ask(line, { "transfer-encoding": "chunked" });
    response.emit("close");
    request.emit("end");
    vi.advanceTimersByTime(10_001);
    expect(line.destroyed).toBe(true);
  });

  test("of requests one behind the other the last one's answer counts", () => {
    const { connect, ask } = open();
    const line = connect("192.0.2.1");
    const first = ask(line);
    const second = ask(line);
    first.response.emit("close");
    vi.advanceTimersByTime(20_000);
    expect(line.destroyed).toBe(false);
    second.response.emit("close");
    vi.advanceTimersByTime(10_001);
    expect(line.destroyed).toBe(true);
  });

  test("an upgrade that was turned away is closed too, even when the other side never does", () => {
    const { connect, table } = open();
    const line = connect("192.0.2.1");
    table.upgrade(line as unknown as Socket);
    vi.advanceTimersByTime(60_000);
    expect(line.destroyed).toBe(false);
    line.emit("finish");
    vi.advanceTimersByTime(10_001);
    expect(line.destroyed).toBe(true);
  });
});

test("whatever comes, there are never more than are allowed, and none is lost from the count", () => {
  const step = fc.record({ what: fc.constantFrom("connect", "ask", "answer", "close", "wait"), who: fc.nat(3), at: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { table, connect, ask } = open();
      const lines: Line[] = [];
      const answers: EventEmitter[] = [];
      for (const { what, who, at } of steps) {
        const line = lines[at % Math.max(1, lines.length)];
        if (what === "connect") lines.push(connect(`192.0.2.${who}`));
        else if (what === "ask" && line !== undefined && !line.destroyed) answers.push(ask(line).response);
        else if (what === "answer") answers[at % Math.max(1, answers.length)]?.emit("close");
        else if (what === "close") line?.destroy();
        else if (what === "wait") vi.advanceTimersByTime(at * 500);
        expect(table.size).toBe(lines.filter(({ destroyed }) => !destroyed).length);
        expect(table.size).toBeLessThanOrEqual(limits.most);
      }
      table[Symbol.dispose]();
      expect(lines.every(({ destroyed }) => destroyed)).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    }),
  );
});
