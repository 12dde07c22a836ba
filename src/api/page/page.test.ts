import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RelayStatus } from "./browser/data/model.ts";
import { nextFlows, noFlows } from "./browser/data/flows.ts";
import { keepSame } from "./browser/data/keep-same.ts";
import { createEventParser } from "./browser/data/parse-events.ts";
import { layOut } from "./browser/view/relay-layout.ts";
import { describeAgo, describeSpan } from "./browser/words/when.ts";
import { chooseEncoding } from "./serve-page.ts";

describe("server-sent events", () => {
  it("are read as the standard says", () => {
    const parser = createEventParser();
    const stream = "retry: 1500\n: here\n\nid: a.1\nevent: history\ndata: {\ndata: }\n\ndata\n\nevent: radios\ndata:x\n\ndata: never ended";
    expect(parser.push(stream)).toEqual([
      { type: "history", data: "{\n}", lastId: "a.1" },
      { type: "message", data: "", lastId: "a.1" },
      { type: "radios", data: "x", lastId: "a.1" },
    ]);
    expect(parser.retryMs).toBe(1_500);
  });

  it("are the same however the stream is cut, and with whatever line ends", () => {
    const line = fc.constantFrom("id: 1", "id: 2.x", "event: history", "data: {}", "data", ": heartbeat", "", "", "retry: 5", "nonsense");
    const property = fc.property(
      fc.array(line, { maxLength: 30 }),
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.array(fc.nat({ max: 400 }), { maxLength: 20 }),
      (lines, end, cuts) => {
        const whole = createEventParser().push(`${lines.join("\n")}\n`);
        // Another character after it: a carriage return at the very end may be half a line end.
        const text = `${lines.join(end)}${end}:`;
        const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
        const parser = createEventParser();
        const parts = places.slice(1).flatMap((place, index) => parser.push(text.slice(places[index], place)));
        expect(parts).toEqual(whole);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  it("take anything", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (pieces) => {
        const parser = createEventParser();
        for (const piece of pieces) parser.push(piece);
      }),
    );
  });

  it("do not keep an endless line", () => {
    const parser = createEventParser();
    for (let piece = 0; piece < 40; piece += 1) parser.push("x".repeat(100_000));
    expect(parser.push("\n\ndata: on\n\n").at(-1)).toMatchObject({ data: "on" });
  });
});

describe("flows", () => {
  const link = (name: string, relayed: number, sent: number): RelayStatus["links"][number] => ({
    name,
    addresses: [],
    state: "up",
    heard: { relayed, rule: 1 },
    sent,
    overrun: 0,
  });

  it("are differences over time; a counter that fell is another run's", () => {
    const first = nextFlows(noFlows, { links: [link("a", 10, 5), link("b", 7, 7)] }, 1_000);
    expect(first.links.size).toBe(0);
    expect(nextFlows(first, { links: [link("a", 99, 5)] }, 1_500)).toBe(first);
    const second = nextFlows(first, { links: [link("a", 30, 6), link("b", 0, 0)] }, 3_000);
    expect(Object.fromEntries(second.links)).toEqual({ a: { heard: 10, carried: 10, sent: 0.5 } });
  });
});

describe("what is the same", () => {
  it("stays the same object", () => {
    const before = [
      { id: "a", n: 1 },
      { id: "b", n: 1 },
    ];
    const after = keepSame(
      before,
      [
        { id: "b", n: 2 },
        { id: "a", n: 1 },
      ],
      ({ id }) => id,
    );
    expect(after[1]).toBe(before[0]);
    expect(after[0]).toEqual({ id: "b", n: 2 });
    expect(keepSame(before, structuredClone(before), ({ id }) => id)).toBe(before);
  });
});

describe("the picture of the relay", () => {
  it("has room for any links and pairs, and no two boxes lie over each other", () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 9 });
    const property = fc.property(
      names,
      fc.array(fc.tuple(fc.nat({ max: 10 }), fc.nat({ max: 10 })), { maxLength: 12 }),
      fc.boolean(),
      (links, indices, narrow) => {
        const pairs = indices.map(([a, b]) => [links[a] ?? "gone", links[b] ?? "gone"] as const);
        const { width, height, boxes, edges } = layOut({ names: links, pairs, narrow });
        expect(boxes.length).toBe(links.length);
        for (const { x, y } of boxes) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(y).toBeGreaterThanOrEqual(0);
          expect(y + 92).toBeLessThanOrEqual(height);
          expect(x + 210).toBeLessThanOrEqual(width);
        }
        for (const [index, a] of boxes.entries())
          for (const b of boxes.slice(index + 1)) expect(Math.abs(a.x - b.x) >= 210 || Math.abs(a.y - b.y) >= 92).toBe(true);
        for (const { path, label } of edges) {
          expect(path).not.toMatch(/NaN|Infinity/);
          expect(label.x).toBeGreaterThan(0);
          expect(label.x).toBeLessThan(width);
        }
      },
    );
    fc.assert(property);
  });
});

describe("times in words", () => {
  it.each([
    [-3, "just now"],
    [-200, "3 minutes ago"],
    [-5_000, "1 hour ago"],
    [-90_000, "yesterday"],
    [-86_400 * 4, "4 days ago"],
    [-86_400 * 400, "last year"],
    [30, "in a moment"],
  ])("%i seconds: %s", (seconds, words) => expect(describeAgo(seconds * 1_000, 0)).toBe(words));

  it.each([
    [0, "0 seconds"],
    [61, "1 minute 1 second"],
    [3_600, "1 hour"],
    [86_400 * 4 + 3_601, "4 days 1 hour"],
  ])("%i seconds last %s", (seconds, words) => expect(describeSpan(seconds)).toBe(words));
});

describe("the encoding", () => {
  it.each([
    ["gzip, deflate, br, zstd", "br"],
    ["gzip;q=1.0, br;q=0", "gzip"],
    ["br;q=0.000, identity", "identity"],
    ["GZIP", "gzip"],
    [undefined, "identity"],
  ])("for %s is %s", (accepted, encoding) => expect(chooseEncoding(accepted)).toBe(encoding));
});
