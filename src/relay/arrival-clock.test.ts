import { expect, test } from "vitest";
import { createArrivalClock } from "./arrival-clock.ts";
import { createEchoGuard } from "./guard/echo-guard.ts";

const hour = 3_600_000;

/** A wall clock that can be set, and how long this process runs. */
function openClocks() {
  const state = { wall: 1_700_000_000_000, monotonic: 50_000 };
  const clock = createArrivalClock({ wall: () => state.wall, monotonic: () => state.monotonic });
  const pass = (milliseconds: number): void => {
    state.wall += milliseconds;
    state.monotonic += milliseconds;
  };
  return { state, clock, pass };
}

test("a packet that waited is as old as it is", () => {
  const { state, clock, pass } = openClocks();
  const arrivedAt = state.wall;
  pass(40);
  expect(clock.toMonotonic(arrivedAt)).toBe(50_000);
  expect(clock.toMonotonic(state.wall)).toBe(50_040);
});

test.each([
  ["back", -hour],
  ["forward", hour],
  ["back by a little", -400],
  ["forward by a little", 400],
])("when the wall clock is set %s, packets come in order and now, before and after the next turn", (_, jumpMs) => {
  const { state, clock, pass } = openClocks();
  const before = clock.toMonotonic(state.wall);
  state.wall += jumpMs;
  pass(5);
  const after = clock.toMonotonic(state.wall);
  expect(after).toBeLessThanOrEqual(50_005);
  expect(after).toBeGreaterThanOrEqual(50_005 - Math.min(Math.abs(jumpMs), 1_000));
  if (Math.abs(jumpMs) === hour) expect(after - before).toBe(5);
  clock.compare();
  pass(5);
  expect(clock.toMonotonic(state.wall)).toBe(50_010);
});

test("what is found late by a thread that was held up is a second old at most, and never of the future", () => {
  const { state, clock, pass } = openClocks();
  const arrivedAt = state.wall;
  pass(7_000);
  expect(clock.toMonotonic(arrivedAt)).toBe(56_000);
  expect(clock.toMonotonic(state.wall + 0.9)).toBe(57_000);
});

test.each([-hour, hour])(
  "a clock that is set by %i ms between a packet and its echo makes no news of the echo, nor of the sender an echo",
  (jumpMs) => {
    const { state, clock, pass } = openClocks();
    const guard = createEchoGuard();
    const original = { content: 1, link: "a", source: "10.1.0.9" };
    const say = (sighting: typeof original): string => {
      const now = clock.toMonotonic(state.wall);
      const { verdict } = guard.judge(sighting, now);
      if (verdict === "pass") guard.sent(sighting, { content: 1, link: "b" }, now);
      return verdict;
    };
    const verdicts = [say(original)];
    state.wall += jumpMs;
    pass(5);
    verdicts.push(say({ ...original, link: "b", source: "10.2.0.7" }));
    pass(100);
    verdicts.push(say(original));
    expect(verdicts).toEqual(["pass", "echo", "pass"]);
  },
);
