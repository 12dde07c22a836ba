import fc from "fast-check";
import { expect, test } from "vitest";
import { formatCursor, parseBeginning, parseCursor } from "./cursor.ts";

const cursor = fc.record({ historyId: fc.uuid(), sequence: fc.maxSafeNat() });

test("what is written is read", () => {
  fc.assert(
    fc.property(cursor, (one) => {
      expect(parseCursor(formatCursor(one))).toEqual(one);
    }),
  );
});

test("nothing else is read, and nothing throws", () => {
  const spoilt = fc.tuple(cursor, fc.nat(), fc.string({ unit: "binary", minLength: 1 })).map(([one, at, more]) => {
    const text = formatCursor(one);
    const place = at % (text.length + 1);
    return text.slice(0, place) + more + text.slice(place);
  });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), spoilt), (text) => {
      const found = parseCursor(text);
      if (found !== undefined) expect(formatCursor(found)).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test("there is one way to write a place", () => {
  const id = "0b5a2c1e-5f0c-4a1d-9d5c-2f1f3c1a7e10";
  for (const text of [
    `${id}.01`,
    `${id}.-1`,
    `${id}.1.0`,
    `${id}.`,
    id,
    `.1`,
    `${id}.9007199254740992`,
    `${id.toUpperCase()}.1`,
    `${id}.1\n`,
  ]) {
    expect(parseCursor(text)).toBeUndefined();
  }
  expect(parseCursor(`${id}.0`)).toEqual({ historyId: id, sequence: 0 });
});

test("who has no cursor says so in a word", () => {
  expect(parseBeginning("now")).toBe("now");
  expect(parseBeginning("oldest")).toBe("oldest");
  expect(parseBeginning("")).toBeUndefined();
});
