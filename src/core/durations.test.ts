import fc from "fast-check";
import { expect, it } from "vitest";
import { createDurations } from "./durations.ts";

it("a duration falls into the first bucket whose bound it does not exceed", () => {
  const durations = createDurations([0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.100_1, 1, 7]) durations.add(seconds);
  expect(durations.counts).toEqual([2, 2, 1]);
  expect(durations.sum).toBeCloseTo(8.2501);
});

it("whatever is added is counted once, and the sum never falls", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), (values) => {
      const durations = createDurations();
      let before = 0;
      for (const value of values) {
        durations.add(value);
        expect(durations.sum).toBeGreaterThanOrEqual(before);
        before = durations.sum;
      }
      expect(durations.counts.reduce((all, count) => all + count, 0)).toBe(values.length);
    }),
  );
});
