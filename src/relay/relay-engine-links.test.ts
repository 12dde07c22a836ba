/** Links as they are found: with one family or several subnets, a hundred of them, late, renamed, or failing. */
import { expect, test } from "vitest";
import { madeUpLink, makeRelayWorld, type RelayWorld, toAddress } from "../../test/fixtures/engine-world.ts";
import { addressRecord, announce, query, respond } from "../../test/fixtures/mdns-hosts.ts";
import type { RelayLink } from "./relay-wire.ts";

const someLinks = (count: number): readonly RelayLink[] =>
  Array.from({ length: count }, (_, index) => {
    const name = `lan${index}`;
    const addresses = [toAddress(`10.1.${index}.1`, 24), toAddress(`fd01:${index}::1`, 64), toAddress("fe80::1", 64)];
    return { name, interface: name, index: index + 1, mtu: 1500, addresses };
  });

let asked = 0;
/** Who hears a new question from `link`. */
function hearers(world: RelayWorld, link: string, changes: { readonly source?: string; readonly family?: 4 | 6 } = {}): readonly string[] {
  asked += 1;
  return world.hear(link, { payload: query(`asked-${asked}`, { type: 1 }), ...changes }).map((sent) => sent.link);
}

test.each([4, 6] as const)("a link with IPv%i alone is served in that, both ways", (family) => {
  const world = makeRelayWorld();
  const other = family === 4 ? 6 : 4;
  const poor = madeUpLink("b", { addresses: madeUpLink("b").addresses.filter((address) => address.family === family) });
  world.setLinks([madeUpLink("a"), poor]);
  world.pass(5_000);
  expect([hearers(world, "a", { family }), hearers(world, "b", { family })]).toEqual([["b"], ["a"]]);
  expect(hearers(world, "a", { family: other })).toEqual([]);
});

test("hosts of a link's second subnet are on the link", () => {
  const world = makeRelayWorld();
  expect(hearers(world, "a", { source: "10.72.0.9" })).toEqual([]);
  const { addresses } = madeUpLink("a");
  world.setLinks([madeUpLink("a", { addresses: [...addresses, toAddress("10.72.0.1", 24)] }), madeUpLink("b")]);
  expect(hearers(world, "a", { source: "10.72.0.9" })).toEqual(["b"]);
  expect(hearers(world, "a", { source: "10.72.1.9" })).toEqual([]);
  expect(hearers(world, "a", { source: "10.1.0.9" })).toEqual(["b"]);
});

test("a /32 says nothing of a link's hosts: without another prefix all are taken, beside one they are as that has it", () => {
  const world = makeRelayWorld();
  const single = toAddress("10.1.0.1", 32);
  world.setLinks([madeUpLink("a", { addresses: [single] }), madeUpLink("b")]);
  expect(hearers(world, "a", { source: "10.1.0.9" })).toEqual(["b"]);
  expect(hearers(world, "a", { source: "172.16.0.9" })).toEqual(["b"]);
  world.setLinks([madeUpLink("a", { addresses: [single, toAddress("10.9.0.1", 24)] }), madeUpLink("b")]);
  expect(hearers(world, "a", { source: "10.9.0.9" })).toEqual(["b"]);
  expect(hearers(world, "a", { source: "10.1.0.9" })).toEqual([]);
});

test.each([
  { family: 6, linkLocal: "fe80::a01", own: "fd01::1", near: "fd01::9", far: "2001:db8::9" },
  { family: 4, linkLocal: "169.254.7.1", own: "10.1.0.1", near: "10.1.0.9", far: "192.0.2.9" },
] as const)("a link-local prefix says nothing of a link's other hosts, in IPv$family", ({ family, linkLocal, own, near, far }) => {
  const world = makeRelayWorld();
  const only = toAddress(linkLocal, family === 6 ? 64 : 16);
  world.setLinks([madeUpLink("a", { addresses: [only] }), madeUpLink("b")]);
  world.pass(5_000);
  const from = (source: string): readonly string[] => hearers(world, "a", { family, source });
  expect([from(near), from(far)]).toEqual([["b"], ["b"]]);
  // A prefix of another kind does, whichever comes first.
  for (const addresses of [
    [only, toAddress(own, family === 6 ? 64 : 24)],
    [toAddress(own, family === 6 ? 64 : 24), only],
  ]) {
    world.setLinks([madeUpLink("a", { addresses }), madeUpLink("b")]);
    expect([from(near), from(far)]).toEqual([["b"], []]);
  }
});

test("a search to a wider group than the link's is taken from a host with another address, where the link has only a link-local one", () => {
  const world = makeRelayWorld();
  world.setLinks([madeUpLink("a", { addresses: [toAddress("fe80::a01", 64)] }), madeUpLink("b")]);
  world.pass(5_000);
  const lines = ["M-SEARCH * HTTP/1.1", "HOST: [ff05::c]:1900", 'MAN: "ssdp:discover"', "MX: 1", "ST: ssdp:all", "", ""];
  const search = { payload: Buffer.from(lines.join("\r\n")), protocol: "ssdp", group: "ff05::c", family: 6, port: 5_000 } as const;
  expect(world.hear("a", { ...search, source: "fd01::9" })).toMatchObject([{ link: "b" }]);
});

test("where subnets are the same on two links, hosts and their addresses go from either to the other", () => {
  const world = makeRelayWorld();
  const same = [toAddress("10.1.0.1", 24)];
  world.setLinks([madeUpLink("a", { addresses: same }), madeUpLink("b", { addresses: same })]);
  world.pass(5_000);
  for (const [link, host] of [
    ["a", "one"],
    ["b", "two"],
  ] as const) {
    const payload = respond({ answers: [addressRecord(host, link === "a" ? "10.1.0.9" : "10.1.0.8")] });
    expect(world.hear(link, { payload, source: link === "a" ? "10.1.0.9" : "10.1.0.8" })).toHaveLength(1);
  }
});

test("a privacy address is ours from when it is there until it has gone", () => {
  const world = makeRelayWorld();
  const [first, second] = ["fd01::aaaa", "fd01::bbbb"];
  const withAddress = (address: string) => madeUpLink("a", { addresses: [...madeUpLink("a").addresses, toAddress(address, 64)] });
  world.setLinks([withAddress(first), madeUpLink("b")]);
  expect(hearers(world, "a", { family: 6, source: first })).toEqual([]);
  expect(hearers(world, "a", { family: 6, source: second })).toEqual(["b"]);
  world.setLinks([withAddress(second), madeUpLink("b")]);
  expect(hearers(world, "a", { family: 6, source: second })).toEqual([]);
  expect(hearers(world, "a", { family: 6, source: first })).toEqual(["b"]);
  expect(hearers(world, "b", { family: 6 })).toEqual(["a"]);
});

test("an interface that appears ten minutes later is served", () => {
  const world = makeRelayWorld(["a"]);
  world.pass(10 * 60_000);
  expect(hearers(world, "a")).toEqual([]);
  world.setLinks([madeUpLink("a"), madeUpLink("b")]);
  world.pass(1_500);
  expect([hearers(world, "a"), hearers(world, "b")]).toEqual([["b"], ["a"]]);
});

test("an interface that gets another name stays the same link where it was not chosen by name", () => {
  const world = makeRelayWorld();
  const { reply } = world.hear("a", { payload: query("lamp", { type: 1, id: 7 }), port: 40_000 })[0] ?? {};
  world.setLinks([madeUpLink("a"), madeUpLink("b", { interface: "renamed" })]);
  expect(hearers(world, "a")).toEqual(["b"]);
  expect(reply?.closed).toBe(false);
});

test("what fails to be sent is counted as that, and sent when the link is back", () => {
  const world = makeRelayWorld();
  // ENETDOWN, EADDRNOTAVAIL, ENOBUFS, ENODEV, ENETUNREACH
  for (const errno of [100, 99, 105, 19, 101]) {
    world.fail("b", errno);
    expect(hearers(world, "a")).toEqual([]);
    expect(world.hear("a", { payload: query("lamp", { type: 1, id: errno }), port: 40_000 })).toEqual([]);
    expect(world.traces.at(-1)).toMatchObject({ to: "b", verdict: "send-failed", why: `error number ${errno}` });
  }
  expect(world.engine.counters.of("a").heard).toEqual({ "send-failed": 10 });
  expect(world.engine.counters.of("b").sent).toBe(0);
  world.fail("b", 0);
  expect(hearers(world, "a")).toEqual(["b"]);
});

test("a hundred links hear each packet once, copies from any of them are echoes, and who relays is told without delay", () => {
  const world = makeRelayWorld(["a"]);
  const links = someLinks(100);
  world.setLinks(links);
  world.pass(5_000);
  for (const index of [0, 31, 32, 63, 99]) {
    const name = `lan${index}`;
    const payload = announce({ instance: name, host: name, addresses: [`10.1.${index}.9`] });
    const heard = world.hear(name, { payload, source: `10.1.${index}.9` });
    expect(heard.map(({ link }) => link).toSorted()).toEqual(
      links
        .map((link) => link.name)
        .filter((one) => one !== name)
        .toSorted(),
    );
    for (const other of [1, 33, 64, 98]) expect(world.hear(`lan${other}`, { payload, source: `10.1.${other}.7` })).toEqual([]);
  }
  const began = performance.now();
  expect(world.engine.roles.pairs(10_000)).toHaveLength(4_950);
  // Asked twice a second, between packets: milliseconds are right, and seconds a search of all pairs for each pair.
  expect(performance.now() - began).toBeLessThan(1_000);
});

test("a burst of hundreds from each of several hosts goes on whole, within the limits there are by default", () => {
  const world = makeRelayWorld(["a", "b"], { limits: {} });
  let carried = 0;
  for (const host of [7, 8, 9]) {
    for (let index = 0; index < 300; index += 1) {
      const payload = announce({ instance: `${host}-${index}`, host: `host-${host}-${index}` });
      carried += world.hear("a", { payload, source: `10.1.0.${host}` }).length;
    }
  }
  expect(carried).toBe(900);
});
