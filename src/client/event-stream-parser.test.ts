import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEventStreamParser } from "./event-stream-parser.ts";

function readAll(...pieces: readonly string[]) {
  const parser = createEventStreamParser();
  return { events: pieces.flatMap((piece) => parser.push(piece)), parser };
}

describe("the examples of the standard", () => {
  test("data of several lines, comments, fields without colon or value", () => {
    const { events } = readAll(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n");
    expect(events).toEqual([
      { event: "message", data: "first event", lastEventId: "1" },
      { event: "message", data: "second event", lastEventId: "" },
      { event: "message", data: " third event", lastEventId: "" },
    ]);
    expect(readAll("data\n\ndata\ndata\n\ndata:").events.map(({ data }) => data)).toEqual(["", "\n"]);
    expect(readAll("data:test\n\ndata: test\n\n").events.map(({ data }) => data)).toEqual(["test", "test"]);
  });

  test("an event that is not ended by an empty line is none", () => {
    const { events, parser } = readAll("id: 1\ndata: whole\n\nid: 2\ndata: half\n");
    expect(events).toHaveLength(1);
    expect(parser.lastEventId).toBe("1");
  });

  test("an id without data is remembered; one with a null is not", () => {
    expect(readAll("id: 7\n\n").parser.lastEventId).toBe("7");
    expect(readAll("id: 7\n\nid: 8\0\n\n").parser.lastEventId).toBe("7");
  });

  test("retry is digits only", () => {
    expect(readAll("retry: 250\n\n").parser.retryMs).toBe(250);
    expect(readAll("retry: 2s\n\n").parser.retryMs).toBeUndefined();
  });
});

const line = fc.oneof(
  fc.constantFrom("", "data: x", "data:{}", "id: a.1", "event: history", ": heartbeat", "data", "retry: 5", "nonsense"),
  fc.string().map((text) => text.replaceAll(/[\r\n]/g, "")),
);
const stream = fc.array(fc.tuple(line, fc.constantFrom("\n", "\r", "\r\n"))).map((lines) => lines.flat().join(""));

test("however the stream is cut, it says the same", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat()), (text, cuts) => {
      const places = cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b);
      const pieces = [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
      const [whole, cut] = [readAll(text), readAll(...pieces)];
      expect(cut.events).toEqual(whole.events);
      expect(cut.parser.lastEventId).toBe(whole.parser.lastEventId);
    }),
    { numRuns: 500 },
  );
});
