import { expect, test } from "vitest";
import { createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { createGivenRadios } from "./given-radios.ts";

test("a radio stays given until the kubelet has told who has it, having been asked late enough", async () => {
  const clock = createManualClock(1_000);
  const given = createGivenRadios(clock);
  given.give("a");
  await clock.advance(2_000);
  given.give("b");
  // Asked before the kubelet can have written it down.
  given.told(1_300);
  given.told(3_400);
  expect([...given.ids.current]).toEqual(["a", "b"]);
  given.told(3_500);
  expect([...given.ids.current]).toEqual(["b"]);
  // Nobody can ask for an hour.
  await clock.advance(3_600_000);
  expect([...given.ids.current]).toEqual(["b"]);
  given.told(clock.now());
  expect([...given.ids.current]).toEqual([]);
});

test("one that is given again counts from then, and nobody is woken for nothing", async () => {
  const clock = createManualClock(1_000);
  const given = createGivenRadios(clock);
  given.give("a");
  await clock.advance(2_000);
  given.give("a");
  const { current } = given.ids;
  given.told(3_600);
  expect(given.ids.current).toBe(current);
});
