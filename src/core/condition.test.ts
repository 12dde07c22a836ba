import { expect, it } from "vitest";
import { createBackoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { createConditions } from "./condition.ts";

it("a condition keeps its `since` while its text changes, and loses it when it ends", () => {
  let now = 0;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
  const conditions = createConditions(clock);
  conditions.raise("kube.away", "warning", "no answer");
  now = 5_000;
  conditions.raise("kube.away", "warning", "still no answer");
  expect(conditions.current.get("kube.away")).toEqual({
    code: "kube.away",
    severity: "warning",
    text: "still no answer",
    since: "1970-01-01T00:00:00.000Z",
  });
  conditions.clear("kube.away");
  conditions.raise("kube.away", "warning", "again");
  expect(conditions.current.get("kube.away")?.since).toBe("1970-01-01T00:00:05.000Z");
});

it("raising or clearing what is already so changes nothing", () => {
  const conditions = createConditions({ now: () => 0, sleep: () => Promise.resolve() });
  conditions.raise("a", "info", "text");
  const before = conditions.current;
  conditions.raise("a", "info", "text");
  conditions.clear("never raised");
  expect(conditions.current).toBe(before);
});

it("backoff doubles up to its limit, jitters within the upper half, and starts anew after a reset", () => {
  const slow = createBackoff(1_000, 4_000, () => 1);
  expect([slow.next(), slow.next(), slow.next(), slow.next()]).toEqual([1_000, 2_000, 4_000, 4_000]);
  slow.reset();
  expect(slow.next()).toBe(1_000);
  expect(createBackoff(1_000, 4_000, () => 0).next()).toBe(500);
});
