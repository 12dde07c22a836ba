/** Who is taken for a second reflector, and who only has several addresses or asks what somebody else asked. */
import { describe, expect, test } from "vitest";
import { makeRelayWorld } from "../../test/fixtures/engine-world.ts";
import { announce, probe, query } from "../../test/fixtures/mdns-hosts.ts";
import { recordType } from "./dns/dns-message.ts";
import { writeMessage } from "./dns/write-message.ts";
import { encodeHeartbeat } from "./election/heartbeat.ts";

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

describe("the same question from two links, of which one may not ask everywhere", () => {
  const held = { action: "deny", from: ["a"], to: ["c"], direction: "ask" } as const;
  const ask = query("_hap._tcp");
  const links = ["a", "b", "c"];
  const linksOf = (sent: readonly { readonly link: string }[]): readonly string[] => sent.map(({ link }) => link);

  test("goes from the other wherever that may ask, however often the first one comes", () => {
    const world = makeRelayWorld(links, { rules: [held] });
    for (let second = 0; second < 30; second += 1) {
      expect(linksOf(world.hear("a", { payload: ask }))).toEqual(["b"]);
      world.pass(600);
      expect(linksOf(world.hear("b", { payload: ask }))).toEqual(["c"]);
      expect(world.traces.slice(-2)).toMatchObject([
        { to: "a", verdict: "echo" },
        { to: "c", verdict: "relayed" },
      ]);
      // Once for each time that the first one comes.
      expect(world.hear("b", { payload: ask, source: "10.2.0.8" })).toEqual([]);
      world.pass(400);
    }
    expect(world.engine.counters.of("b").heard).toEqual({ relayed: 30, echo: 30 });
  });

  test("does so where all that came of the first one is a part of it", () => {
    const world = makeRelayWorld(links, { rules: [held, { action: "deny", from: ["a"], service: ["_ipp._tcp"] }] });
    const questions = ["_hap", "_ipp"].map((name) => ({ name: [name, "_tcp", "local"], type: recordType.PTR }));
    for (let second = 0; second < 30; second += 1) {
      expect(linksOf(world.hear("a", { payload: writeMessage({ questions }) }))).toEqual(["b"]);
      world.pass(600);
      expect(linksOf(world.hear("b", { payload: ask }))).toEqual(["c"]);
      world.pass(400);
    }
  });

  test("is an echo where it has been everywhere, or the rules hold it back from there as well", () => {
    const free = makeRelayWorld(links);
    expect(linksOf(free.hear("a", { payload: ask }))).toEqual(["b", "c"]);
    expect(free.hear("b", { payload: ask })).toEqual([]);
    const both = makeRelayWorld(links, { rules: [{ ...held, from: ["a", "b"] }] });
    expect(linksOf(both.hear("a", { payload: ask }))).toEqual(["b"]);
    expect(both.hear("b", { payload: ask })).toEqual([]);
    for (const { engine } of [free, both]) expect(engine.counters.of("b").heard).toEqual({ echo: 1 });
  });

  test("is an echo where another aerial brings it, which asks for somebody who may not", () => {
    const world = makeRelayWorld(links, { rules: [held] });
    const peer = { id: "f".repeat(16), ttl: 5, link: "k1", token: "e".repeat(16), addresses: ["10.2.0.2"], pairs: new Map() };
    world.hear("b", { payload: encodeHeartbeat(peer), source: "10.2.0.2" });
    world.hear("a", { payload: ask });
    expect(world.hear("b", { payload: ask, source: "10.2.0.2" })).toEqual([]);
    expect(linksOf(world.hear("b", { payload: ask }))).toEqual(["c"]);
  });

  test("goes on beside another reflector as well, and the host that is asked about is at home where it was before", () => {
    const world = makeRelayWorld(links, { rules: [held] });
    expect(linksOf(world.hear("a", { payload: probe("lamp", "10.1.0.9") }))).toEqual(["b"]);
    expect(linksOf(world.hear("b", { payload: probe("lamp", "10.1.0.9"), source: "10.2.0.77" }))).toEqual(["c"]);
    world.pass(1_000);
    const [sent] = world.hear("a", { payload: announce({ host: "lamp", addresses: ["10.1.0.9"] }) });
    expect(sent).toMatchObject({ link: "b" });
    expect(world.traces.at(-1)).toMatchObject({ verdict: "relayed" });
  });

  test("says nothing of answers: what one link may not offer does not come from another that repeats it", () => {
    const world = makeRelayWorld(links, { rules: [{ ...held, direction: "offer" }] });
    const payload = announce({ addresses: ["10.1.0.9"] });
    expect(linksOf(world.hear("a", { payload }))).toEqual(["b"]);
    expect(world.hear("b", { payload, source: "10.2.0.77" })).toEqual([]);
  });
});
