import fc from "fast-check";
import { expect, test } from "vitest";
import { type Aerial, RelayWorld } from "../../../test/fixtures/relay-world.ts";

const low = "0000000000000001";
const middle = "7777777777777777";
const high = "ffffffffffffffff";

/** What is stated: a newcomer relays after this long, and a standby takes over a dead one's work. */
const startMs = 1_000;
const failoverMs = 3_500;

/** Milliseconds from now until `isSo`; at most `limit`. */
function until(world: RelayWorld, isSo: () => boolean, limit = 60_000): number {
  const begin = world.now;
  const times = isSo() ? [begin] : [];
  world.watch = () => {
    if (isSo()) times.push(world.now);
  };
  for (let passed = 0; passed < limit && times.length === 0; passed += 50) world.advance(50);
  world.watch = () => {};
  return (times[0] ?? Infinity) - begin;
}

const whyOf = (aerial: Aerial, family = 4): string | undefined =>
  aerial.election.pairs().find((pair) => pair.family === family && pair.links.join() === "a,b")?.why;

test("alone it listens for a second, then relays", () => {
  const world = new RelayWorld();
  const one = world.add("one");
  expect(whyOf(one)).toBe("listens first");
  expect(until(world, () => world.active().length === 1)).toBe(startMs);
  expect(world.active(6)).toEqual(["one"]);
  expect(whyOf(one)).toBe("alone on these links");
  expect(one.election.peers()).toEqual([]);
});

test("alone it says so three times at once and then every ten seconds", () => {
  const world = new RelayWorld();
  const one = world.add("one");
  world.advance(501);
  expect(one.sent).toBe(3 * 2);
  // Once more when it becomes active.
  world.advance(60_000);
  expect(one.sent).toBe((3 + 1 + 6) * 2 - 2);
});

test("what the kernel tells of other interfaces is no news", () => {
  const world = new RelayWorld();
  const one = world.add("one");
  world.advance(20_000);
  const before = one.sent;
  for (let passed = 0; passed < 60_000; passed += 100) {
    world.relink(one);
    world.advance(100);
  }
  expect(one.sent - before).toBe(6 * 2);
});

test("an address that is new is said at once; however often they change, once a second", () => {
  const world = new RelayWorld();
  const one = world.add("one");
  world.advance(20_000);
  const links = (turn: number) => ["a", "b"].map((name) => ({ name, families: [4, 6] as const, addresses: [`10.65.0.${turn % 200}`] }));
  let sent = 0;
  const change = (turn: number): number => {
    one.election.setLinks(links(turn), world.now);
    const now = one.election.due(world.now).length;
    sent += now;
    world.now += 100;
    return now;
  };
  expect([change(1), change(2), change(3)]).toEqual([2, 2, 2]);
  for (let turn = 4; turn < 600; turn += 1) change(turn);
  expect(sent).toBeLessThanOrEqual(2 * (60 + 5));
  expect(sent).toBeGreaterThanOrEqual(2 * 59);
});

test.each([
  [low, high],
  [high, low],
])("who relays stays, whatever the newcomer's id: %s, %s", (first, second) => {
  const world = new RelayWorld();
  world.add("one", { id: first });
  world.advance(20_000);
  const two = world.add("two", { id: second });
  world.watch = () => expect(world.active()).toEqual(["one"]);
  world.advance(30_000);
  expect(whyOf(two)).toBe("10.65.0.1 relays");
  expect(two.election.peers()).toEqual([{ id: first, addresses: ["10.65.0.1", "10.66.0.1"], links: ["a", "b"] }]);
});

test("of those that start together the lowest id relays, and never two", () => {
  const world = new RelayWorld();
  for (const [name, id] of [
    ["one", middle],
    ["two", low],
    ["three", high],
  ] as const)
    world.add(name, { id });
  world.watch = () => expect(world.active().length).toBeLessThan(2);
  world.advance(startMs);
  expect(world.active()).toEqual(["two"]);
  world.advance(60_000);
  expect(world.active()).toEqual(["two"]);
});

test.each(["killed", "stopped", "cleanly"] as const)("when the active one is %s another takes over in the stated time", (how) => {
  fc.assert(
    fc.property(fc.integer({ min: 5_000, max: 8_000 }), fc.integer({ min: 2, max: 4 }), (after, count) => {
      const world = new RelayWorld();
      for (let index = 0; index < count; index += 1) world.add(`n${index}`);
      world.advance(after);
      const active = world.aerials.find(({ name }) => world.active().includes(name))!;
      if (how === "stopped") active.state = "stopped";
      else world.end(active, how);
      const others = (): readonly string[] => world.active().filter((name) => name !== active.name);
      expect(until(world, () => others().length > 0)).toBeLessThanOrEqual(how === "cleanly" ? 10 : failoverMs);
      world.advance(5_000);
      expect(others()).toHaveLength(1);
    }),
    { numRuns: 50 },
  );
});

test("one that was stopped and comes back finds the other active and stands by", () => {
  const world = new RelayWorld();
  const [one] = [world.add("one", { id: low }), world.add("two", { id: high })];
  world.advance(5_000);
  one.state = "stopped";
  world.advance(60_000);
  expect(world.active()).toEqual(["one", "two"]);
  one.state = "running";
  world.advance(0);
  expect(world.active()).toEqual(["two"]);
  world.advance(60_000);
  expect(world.active()).toEqual(["two"]);
});

test.each([
  [low, high],
  [high, low],
])("one whose machine was suspended listens first: %s, %s", (first, second) => {
  const world = new RelayWorld();
  const [, two] = [world.add("one", { id: first }), world.add("two", { id: second })];
  world.advance(5_000);
  const active = world.active();
  const other = world.aerials.find(({ name }) => !active.includes(name)) ?? two;
  world.delay = ({ to }) => (to.state === "stopped" ? undefined : 1);
  other.state = "stopped";
  world.advance(60_000);
  other.state = "running";
  world.watch = () => expect(world.active()).toEqual(active);
  world.advance(60_000);
});

test("what waited in the sockets while it was stopped is as old as the stop", () => {
  const world = new RelayWorld();
  const [one, two] = [world.add("one", { id: low }), world.add("two", { id: high })];
  world.advance(5_000);
  two.state = "stopped";
  // Alone now, and promising to be there for long.
  world.advance(20_000);
  world.end(one, "killed");
  two.state = "running";
  expect(until(world, () => world.active().includes("two"))).toBeLessThanOrEqual(failoverMs);
});

test("a link that goes away is handed over at once, and given back to nobody", () => {
  const world = new RelayWorld();
  const one = world.add("one", { id: low });
  world.add("two", { id: high });
  world.advance(5_000);
  one.links.delete("b");
  world.relink(one);
  expect(world.active()).toEqual([]);
  expect(until(world, () => world.active().length > 0)).toBeLessThanOrEqual(200);
  one.links.set("b", "B");
  world.relink(one);
  world.advance(20_000);
  expect(world.active()).toEqual(["two"]);
});

test("each pair and each family has its own", () => {
  const world = new RelayWorld();
  const four = world.add("four", { id: low, families: [4] });
  world.add("both", { id: high });
  world.add("elsewhere", { id: middle, links: { a: "A", c: "C" } });
  world.advance(5_000);
  expect([world.active(4), world.active(6)]).toEqual([["four"], ["both"]]);
  expect(world.aerials[2]?.election.isActive("c", "a", 4)).toBe(true);
  expect(four.election.isActive("a", "c", 4)).toBe(false);
});

test("links may have other names elsewhere", () => {
  const world = new RelayWorld();
  world.add("one", { links: { a: "A", b: "B" } });
  const two = world.add("two", { links: { home: "B", iot: "A" } });
  world.advance(10_000);
  expect(world.aerials.filter(({ election }) => election.isActive("a", "b", 4) || election.isActive("home", "iot", 4))).toHaveLength(1);
  expect(two.election.pairs()).toHaveLength(2);
});

test("aerials that cannot hear each other both relay, and one of them stops when they can", () => {
  const world = new RelayWorld();
  world.add("one", { id: high });
  world.add("two", { id: low });
  world.delay = () => undefined;
  world.advance(20_000);
  expect(world.active()).toEqual(["one", "two"]);
  world.delay = () => 1;
  expect(until(world, () => world.active().length === 1)).toBeLessThan(11_000);
  world.watch = () => expect(world.active()).toHaveLength(1);
  world.advance(60_000);
});

test("apart on one of the links only, both relay: what each carries does not meet", () => {
  const world = new RelayWorld();
  world.add("one");
  world.add("two");
  world.delay = ({ segment }) => (segment === "B" ? undefined : 1);
  world.advance(20_000);
  expect(world.active()).toEqual(["one", "two"]);
});

test.each([
  [low, high],
  [high, low],
])("one that hears nobody cannot be asked to stop, so the other does: %s, %s", (first, second) => {
  const world = new RelayWorld();
  const deaf = world.add("deaf", { id: first });
  world.advance(3_000);
  world.delay = ({ to }) => (to === deaf ? undefined : 1);
  const other = world.add("other", { id: second });
  world.advance(25_000);
  world.watch = () => expect(world.active()).toEqual(["deaf"]);
  world.advance(60_000);
  expect(whyOf(other)).toBe("10.65.0.1 relays and does not hear this node");
});

test("the cluster's choice goes before ids and incumbents", () => {
  const world = new RelayWorld();
  const one = world.add("one", { id: low });
  const two = world.add("two", { id: high });
  world.advance(5_000);
  expect(world.active()).toEqual(["one"]);
  one.election.setLease(["b", "a"], "theirs", world.now);
  world.watch = () => expect(world.active().length).toBeGreaterThan(0);
  world.advance(1_000);
  expect(world.active()).toEqual(["one"]);
  two.election.setLease(["a", "b"], "ours", world.now);
  world.advance(150);
  expect(world.active()).toEqual(["two"]);
  expect([whyOf(one), whyOf(two)]).toEqual(["10.65.0.2 relays", "the cluster's lease is held here"]);
  // The API server goes away: nothing moves.
  for (const { election } of [one, two]) election.setLease(["a", "b"], "unknown", world.now);
  world.advance(20_000);
  expect(world.active()).toEqual(["two"]);
});

test("two clusters on the same links still agree on one", () => {
  const world = new RelayWorld();
  for (const [name, id] of [
    ["one", high],
    ["two", low],
    ["three", middle],
  ] as const)
    world.add(name, { id });
  for (const { election, name } of world.aerials) election.setLease(["a", "b"], name === "three" ? "unknown" : "ours", world.now);
  world.advance(2_000);
  expect(world.active()).toEqual(["two"]);
});

test("a holder that is not heard on these links is waited for, then passed over", () => {
  const world = new RelayWorld();
  const one = world.add("one");
  one.election.setLease(["a", "b"], "theirs", world.now);
  const waited = until(world, () => world.active().length === 1);
  expect(waited).toBe(3_000);
});

test("its own heartbeats on another of its links: they are one network, and it stands by", () => {
  const world = new RelayWorld();
  const one = world.add("one", { links: { a: "A", b: "A", c: "C" } });
  world.watch = () => expect(world.active()).toEqual([]);
  world.advance(20_000);
  expect(whyOf(one)).toBe("both links are one network");
  expect([...one.oddities]).toEqual(["joined"]);
  expect(one.election.isActive("a", "c", 4)).toBe(true);
  one.links.set("b", "B");
  world.watch = () => {};
  world.advance(40_000);
  expect(world.active()).toEqual(["one"]);
});

test("a foreign reflector confuses nobody, and is noticed", () => {
  const world = new RelayWorld();
  world.reflectors.push({ from: "A", to: "B", address: "10.66.0.99" }, { from: "B", to: "A", address: "10.65.0.99" });
  const one = world.add("one", { id: high });
  world.advance(5_000);
  expect(world.active()).toEqual(["one"]);
  const two = world.add("two", { id: low });
  world.watch = () => expect(world.active()).toEqual(["one"]);
  world.advance(20_000);
  expect([[...one.oddities], [...two.oddities]]).toEqual([["carried"], ["carried"]]);
  const addresses = [one, two].flatMap(({ election }) => election.peers().flatMap((peer) => peer.addresses));
  expect(addresses.filter((address) => address.endsWith(".99"))).toEqual([]);
  expect(addresses).toHaveLength(4);
});

test("who was heard once, before it could hear us, is not waited for", () => {
  const world = new RelayWorld();
  const one = world.add("one", { id: high });
  for (const [link, other, source] of [
    ["a", "b", "10.65.0.9"],
    ["b", "a", "10.66.0.9"],
  ] as const) {
    const pairs = new Map([[`k${other}`, { 4: "active" } as const]]);
    const heartbeat = { id: low, ttl: 30, link: `k${link}`, token: low, addresses: [source], pairs };
    one.election.heard(heartbeat, { link, source }, world.now);
  }
  world.advance(2_000);
  expect([world.active(4), world.active(6)]).toEqual([[], ["one"]]);
  expect(until(world, () => world.active().length > 0)).toBeLessThanOrEqual(failoverMs - 2_000);
});

test("somebody on one link only has no say, whatever they claim", () => {
  const world = new RelayWorld();
  const one = world.add("one", { id: high });
  const two = world.add("two", { id: middle });
  world.advance(2_000);
  world.watch = () => {
    expect(world.active()).toEqual(["two"]);
    expect(one.election.peers().find(({ id }) => id === two.election.id)?.links).toEqual(["a", "b"]);
  };
  for (let index = 0; index < 200; index += 1) {
    const id = index.toString(16).padStart(16, "0");
    const pairs = new Map(Array.from({ length: 60 }, (_, key) => [`k${key}`, { 4: "lease", 6: "lease" }] as const));
    const heartbeat = { id, ttl: 30, link: "k99", token: id, addresses: ["10.66.0.66"], pairs };
    expect(one.election.heard(heartbeat, { link: "b", source: "10.66.0.66" }, world.now)).toBe("peer");
    world.advance(7);
  }
  expect(one.election.peers()).toHaveLength(64);
  expect(one.sent).toBeLessThan(50);
  // A newcomer gets through all the same.
  world.add("three", { id: low });
  world.advance(2_000);
  expect(one.election.peers().filter(({ links }) => links.length === 2)).toHaveLength(2);
});

test("two that draw the same id draw again", () => {
  const world = new RelayWorld();
  world.add("one", { id: low });
  world.add("two", { id: low });
  world.advance(10_000);
  expect(world.active()).toHaveLength(1);
  expect(new Set(world.aerials.map(({ election }) => election.id)).size).toBe(2);
});

const churn = fc.array(
  fc.record({
    after: fc.integer({ min: 0, max: 6_000 }),
    who: fc.nat(3),
    what: fc.constantFrom("kill", "stop", "resume", "leave", "start", "cut", "join", "lease"),
  }),
  { maxLength: 12 },
);

test("whatever happens: soon after they all hear each other exactly one relays, and not for long none", () => {
  fc.assert(
    fc.property(churn, fc.integer(), fc.double({ min: 0, max: 0.3, noNaN: true }), (steps, seed, loss) => {
      const world = new RelayWorld();
      let state = seed;
      const random = (): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
        return (state >>> 8) / 2 ** 24;
      };
      const lossy: RelayWorld["delay"] = () => (random() < loss ? undefined : 0.2 + random() * 20);
      world.delay = lossy;
      let added = 0;
      const add = (): Aerial =>
        world.add(`n${added++}`, {
          id: Math.floor(random() * 2 ** 48)
            .toString(16)
            .padStart(16, "0"),
        });
      for (let index = 0; index < 3; index += 1) add();

      let servedAt = world.now;
      let longest = 0;
      world.watch = () => {
        const running = world.aerials.filter((aerial) => aerial.state === "running");
        const served = running.length === 0 || running.some(({ election }) => election.isActive("a", "b", 4));
        if (!served) longest = Math.max(longest, world.now - servedAt);
        else servedAt = world.now;
      };
      for (const { after, who, what } of steps) {
        world.advance(after);
        const aerial = world.aerials.filter(({ state }) => state !== "dead")[who];
        if (what === "start" && world.aerials.length < 12) add();
        else if (what === "cut") world.delay = (hop) => (hop.from === aerial || hop.to === aerial ? undefined : lossy(hop));
        else if (what === "join") world.delay = lossy;
        else if (aerial && what === "lease") {
          for (const { election } of world.aerials)
            election.setLease(["a", "b"], election === aerial.election ? "ours" : "theirs", world.now);
        } else if (aerial && what === "stop") aerial.state = "stopped";
        else if (aerial && what === "resume") aerial.state = "running";
        else if (aerial && (what === "kill" || what === "leave")) world.end(aerial, what === "kill" ? "killed" : "cleanly");
      }
      for (const aerial of world.aerials) if (aerial.state === "stopped") aerial.state = "running";
      world.delay = () => 1;
      world.advance(15_000);
      const alive = world.aerials.filter(({ state: now }) => now === "running").length;
      world.watch = () => expect(world.active()).toHaveLength(Math.min(alive, 1));
      world.watch();
      world.advance(30_000);
      // Two die in a row and ids are in their worst order.
      expect(longest).toBeLessThanOrEqual(2 * failoverMs);
    }),
    { numRuns: 60 },
  );
}, 60_000);
