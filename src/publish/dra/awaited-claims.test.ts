import { expect, test } from "vitest";
import { createManualClock } from "../../../test/fixtures/manual-clock.ts";
import { createAwaitedClaims } from "./awaited-claims.ts";

const claim = (name: string) => ({ namespace: "house", name, uid: `uid-${name}` });
const waiting = { radioId: "b", pods: ["z2m-0"] };

test("a claim is kept as long as the kubelet asks for it", async () => {
  const clock = createManualClock();
  const awaited = createAwaitedClaims(clock);
  awaited.put(claim("one"), waiting);
  awaited.put(claim("two"), waiting);
  const known = awaited.radios.current;
  await clock.advance(400_000);
  awaited.put(claim("one"), waiting);
  expect(awaited.radios.current).toBe(known);
  await clock.advance(400_000);
  awaited.sweep();
  expect(awaited.radios.current.map(({ request }) => request)).toEqual(["one"]);
  awaited.put(claim("one"), { radioId: "b", pods: ["z2m-0", "z2m-1"] });
  expect(awaited.radios.current.map(({ pod }) => pod)).toEqual(["z2m-0", "z2m-1"]);
});

test("there are never more than a node could have, and the oldest go first", () => {
  const awaited = createAwaitedClaims(createManualClock());
  for (let number = 0; number < 5_000; number += 1) awaited.put(claim(String(number)), waiting);
  expect(awaited.radios.current).toHaveLength(1_024);
  expect(awaited.radios.current.at(-1)?.request).toBe("4999");
});
