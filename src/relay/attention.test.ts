import { expect, test } from "vitest";
import { createAttention } from "./attention.ts";

test("there is as much as the burst at once, and then as much as time brings", () => {
  const attention = createAttention({ perSecond: 10, burst: 20 });
  const taken = (now: number): number => Array.from({ length: 100 }, () => attention.take(now)).filter(Boolean).length;
  expect([taken(1_000), taken(1_000), taken(2_000), taken(60_000)]).toEqual([20, 0, 10, 20]);
});
