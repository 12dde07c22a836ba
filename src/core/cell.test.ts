import fc from "fast-check";
import { expect, it } from "vitest";
import { Cell } from "./cell.ts";

it("gives a reader the current value at once and then the newest, skipping what it missed", async () => {
  const cell = new Cell(1);
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const value of cell.changes(stop.signal)) {
    seen.push(value);
    if (value === 1) for (const next of [2, 3, 4]) cell.set(next);
    else stop.abort();
  }
  expect(seen).toEqual([1, 4]);
});

it("wakes every waiting reader, and an abort ends the wait", async () => {
  const cell = new Cell("a");
  const stop = new AbortController();
  const read = async (): Promise<string[]> => {
    const seen: string[] = [];
    for await (const value of cell.changes(stop.signal)) seen.push(value);
    return seen;
  };
  const readers = [read(), read()];
  await Promise.resolve();
  cell.set("b");
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect(await Promise.all(readers)).toEqual([
    ["a", "b"],
    ["a", "b"],
  ]);
});

it("never delivers an older value after a newer one, and always the last", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }), async (pauses) => {
      const cell = new Cell(0);
      const stop = new AbortController();
      const reading = (async () => {
        const seen: number[] = [];
        for await (const value of cell.changes(stop.signal)) {
          seen.push(value);
          if (value === pauses.length) stop.abort();
        }
        return seen;
      })();
      for (const [index, pause] of pauses.entries()) {
        for (let turn = 0; turn < pause; turn += 1) await Promise.resolve();
        cell.set(index + 1);
      }
      const seen = await reading;
      expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
      expect(seen.at(-1)).toBe(pauses.length);
    }),
  );
});

it("keeps nothing of a reader that has stopped", async () => {
  const cell = new Cell(0);
  const stop = new AbortController();
  const iterator = cell.changes(stop.signal);
  await iterator.next();
  const pending = iterator.next();
  stop.abort();
  expect(await pending).toEqual({ done: true, value: undefined });
});
