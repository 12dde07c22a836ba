/** Who is taken for a second reflector, and who only has several addresses. */
import { expect, test } from "vitest";
import { makeRelayWorld } from "../../test/fixtures/engine-world.ts";
import { announce } from "../../test/fixtures/mdns-hosts.ts";

const services = Array.from({ length: 12 }, (_, index) => `service-${index}`);
const own = ["10.1.0.9", "10.1.0.8", "10.2.0.9"];

/** One host's announcements from 10.1.0.9 on `a`, and the same a moment later on `a` and `b` from these. */
function play(again: { readonly a: string; readonly b: string }) {
  const world = makeRelayWorld();
  const carried = services.map((instance) => {
    const payload = announce({ instance, host: "host", addresses: own });
    const [sent] = world.hear("a", { payload });
    world.pass(1);
    expect(world.hear("a", { payload, source: again.a })).toEqual([]);
    world.pass(1);
    expect(world.hear("b", { payload, source: again.b })).toEqual([]);
    world.pass(1_000);
    return sent !== undefined;
  });
  return { carried, conditions: world.engine.echoes.conditions(6_000 + services.length * 1_002) };
}

test("a host with two addresses on one link and one on another, which says the same from all, is no reflector", () => {
  const { carried, conditions } = play({ a: "10.1.0.8", b: "10.2.0.9" });
  expect(conditions).toEqual([]);
  expect(carried).toEqual(services.map(() => true));
});

test("who brings the same there, and is not told of in it, is one", () => {
  const { carried, conditions } = play({ a: "10.1.0.77", b: "10.2.0.77" });
  expect(conditions.map(({ text }) => text.split(" ")[0])).toEqual(expect.arrayContaining(["10.1.0.77", "10.2.0.77"]));
  expect(carried.at(-1)).toBe(false);
});
