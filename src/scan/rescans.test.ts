import { expect, test } from "vitest";
import { createHints } from "./hints.ts";
import { createRescans } from "./rescans.ts";

const never = new AbortController().signal;

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, new Promise((resolve) => void setTimeout(resolve, 5, pending))])) !== pending;
}

test("a scan that was under way does not count; the one asked for does", async () => {
  const hints = createHints();
  const rescans = createRescans(hints);
  const before = performance.now() - 1;
  const asked = rescans.ask(never);
  expect(hints.take()).toMatchObject({ sources: ["people"] });
  rescans.published({ hintedAt: before });
  expect(await isSettled(asked)).toBe(false);
  rescans.published({ hintedAt: performance.now() });
  await asked;
});

test("the second scan since counts, whoever asked for it", async () => {
  const rescans = createRescans(createHints());
  const asked = [rescans.ask(never), rescans.ask(never)];
  rescans.published({});
  expect(await isSettled(asked[0]!)).toBe(false);
  rescans.published({});
  await Promise.all(asked);
});

test("ends with the signal", async () => {
  const rescans = createRescans(createHints());
  const stop = new AbortController();
  const asked = rescans.ask(stop.signal);
  stop.abort();
  await expect(asked).rejects.toMatchObject({ code: "scan.late" });
  rescans.published({});
});
