import { expect, it } from "vitest";
import { sampleRadio, sampleSnapshot } from "../../test/fixtures/sample-radios.ts";
import { createChangeLatency } from "./change-latency.ts";
import type { DurationCounts } from "./durations.ts";

const none = { ...sampleSnapshot([]), revision: 1 };
const one = { ...sampleSnapshot([sampleRadio("a")]), revision: 2 };
const gone = { ...sampleSnapshot([sampleRadio("a", { presence: "absent" })]), revision: 3 };

function total({ counts }: DurationCounts): number {
  return counts.reduce((all, count) => all + count, 0);
}

it("an attach is counted when its snapshot is there and again when its labels are, each from the hint", () => {
  let now = 1_000;
  const latency = createChangeLatency(() => now);
  now = 1_030;
  latency.published({ before: none, after: one, hintedAt: 1_000 });
  latency.accepted(1);
  expect([total(latency.attached), latency.attached.sum, total(latency.labelled)]).toEqual([1, 0.03, 0]);
  now = 1_200;
  latency.accepted(2);
  latency.accepted(2);
  expect([total(latency.labelled), latency.labelled.sum]).toEqual([1, 0.2]);
});

it("labels that come late are counted for every attach before them, and a detach has none to wait for", () => {
  let now = 0;
  const latency = createChangeLatency(() => now);
  latency.published({ before: none, after: one, hintedAt: 0 });
  now = 500;
  latency.published({ before: one, after: gone, hintedAt: 400 });
  latency.published({ before: gone, after: { ...one, revision: 4 }, hintedAt: 500 });
  now = 1_500;
  latency.accepted(4);
  expect([total(latency.attached), total(latency.detached), total(latency.labelled)]).toEqual([2, 1, 2]);
  expect(latency.labelled.sum).toBeCloseTo(2.5);
});

it("what the first whole scan finds, what no hint told of and what is no change are not counted", () => {
  const latency = createChangeLatency(() => 5_000);
  latency.published({ before: { ...none, complete: false }, after: one, hintedAt: 0 });
  latency.published({ before: none, after: one, hintedAt: undefined });
  latency.published({ before: one, after: one, hintedAt: 0 });
  latency.published({ before: one, after: { ...one, revision: 9 }, hintedAt: 0 });
  expect(total(latency.attached) + total(latency.detached)).toBe(0);
});
