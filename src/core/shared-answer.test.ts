import { expect, it } from "vitest";
import { createManualClock } from "../../test/fixtures/manual-clock.ts";
import { shareAnswer } from "./shared-answer.ts";

const { signal } = new AbortController();

it("asks once for all who wait, and again only when the answer is old", async () => {
  const clock = createManualClock();
  let asked = 0;
  const ask = shareAnswer({ clock, keptMs: 5_000, ask: () => Promise.resolve((asked += 1)) });
  expect(await Promise.all([ask(signal), ask(signal)])).toEqual([1, 1]);
  await clock.advance(4_999);
  expect(await ask(signal)).toBe(1);
  await clock.advance(1);
  expect(await ask(signal)).toBe(2);
});

it("asks again after a refusal", async () => {
  const answers = [Promise.reject(new Error("not now")), Promise.resolve("well")];
  const ask = shareAnswer({ clock: createManualClock(), keptMs: 5_000, ask: () => answers.shift() ?? Promise.resolve("more") });
  await expect(ask(signal)).rejects.toThrow("not now");
  expect(await ask(signal)).toBe("well");
});
