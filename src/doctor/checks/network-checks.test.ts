import { describe, expect, onTestFinished, test } from "vitest";
import { checkNamed } from "../../../test/fixtures/checks.ts";
import { createFactsWorld, type FactsWorld } from "../../../test/fixtures/facts-world.ts";
import { outcomesOf, verdictsOf } from "../../../test/fixtures/outcomes.ts";
import { igmp, igmp6, route, udp, udp6 } from "../../../test/fixtures/proc-net.ts";
import type { RelayLinkStatus, RelayProtocol } from "../../core/relay.ts";
import { networkChecks } from "./network-checks.ts";
import { relayLinkChecks } from "./relay-link-checks.ts";

const check = checkNamed([...networkChecks, ...relayLinkChecks]);

const lan: RelayLinkStatus = {
  name: "lan",
  interface: "e0",
  addresses: ["192.168.1.9/24", "fe80::1/64"],
  state: "up",
  heard: {},
  sent: 0,
  overrun: 0,
};
const absent: RelayLinkStatus = {
  name: "e0.30",
  addresses: [],
  state: "absent",
  why: "there is no such interface",
  heard: {},
  sent: 0,
  overrun: 0,
};

interface Options {
  readonly links?: readonly RelayLinkStatus[];
  readonly protocols?: readonly RelayProtocol[];
  readonly conditions?: readonly string[];
}

function createWorld({ links = [lan], protocols = ["mdns"], conditions = [] }: Options = {}): FactsWorld {
  const relay = async () => ({ id: "r1", protocols, links, pairs: [], rules: [], searches: 0, services: 0 });
  const world = createFactsWorld({ known: { relay, conditions: () => new Set(conditions) } });
  onTestFinished(() => world[Symbol.dispose]());
  return world;
}

test("without a relay there is nothing to say of links, and without a cluster nothing of namespaces", async () => {
  const world = createFactsWorld();
  onTestFinished(() => world[Symbol.dispose]());
  world.file("/sys/class/net/e0/operstate", "down").link("/proc/self/ns/net", "net:[1]").link("/proc/1/ns/net", "net:[2]");
  for (const each of [...networkChecks, ...relayLinkChecks])
    expect(await world.judge(each)).toMatch(/no relay is running|neither a relay nor a cluster/);
});

test("a relay whose links are all gone still says so", async () => {
  const world = createWorld({ links: [absent] });
  for (const id of ["NET-02", "NET-03", "NET-05", "NET-07", "NET-08", "NET-09", "NET-11"])
    expect(await world.judge(check(id))).toBeTypeOf("string");
  expect(verdictsOf(await world.judge(check("NET-06")))).toEqual(["fail"]);
});

describe("NET-02, reverse paths", () => {
  const strictly = (world: FactsWorld, all: string, own: string): FactsWorld =>
    world.files({
      "/proc/sys/net/ipv4/conf/all/rp_filter": all,
      "/proc/sys/net/ipv4/conf/e0/rp_filter": own,
      "/proc/sys/net/ipv4/conf/eth-with-name15/rp_filter": own,
    });
  const other: RelayLinkStatus = { ...lan, name: "iot", interface: "eth-with-name15" };

  test.each([
    ["0", "0", "pass"],
    ["2", "1", "pass"],
    ["0", "2", "pass"],
    ["1", "0", "fail"],
    ["0", "1", "fail"],
  ])("all %s, interface %s: %s, where the same network lies on another interface as well", async (all, own, verdict) => {
    const world = strictly(createWorld({ links: [other] }), all, own).file("/proc/net/route", route.trimEnd());
    const [outcome] = outcomesOf(await world.judge(check("NET-02")));
    expect(outcome?.verdict).toBe(verdict);
    if (verdict === "fail") {
      expect(outcome).toMatchObject({
        text: expect.stringMatching(/same network over e0/),
        remedy: { talos: [{ change: "sysctl", name: "net.ipv4.conf.all.rp_filter", value: "2" }] },
      });
    }
  });

  test("strict is fine where the network is the link's own, or its route the better one", async () => {
    const world = strictly(createWorld(), "1", "1").file("/proc/net/route", route.trimEnd());
    expect(verdictsOf(await world.judge(check("NET-02")))).toEqual(["pass"]);
  });

  test("of two routes of one metric the first one counts", async () => {
    const same = route.trimEnd().replace("\t50\t", "\t0\t");
    const world = strictly(createWorld({ links: [lan, other] }), "1", "1").file("/proc/net/route", same);
    expect(verdictsOf(await world.judge(check("NET-02")))).toEqual(["pass", "fail"]);
  });

  test("strict without any route drops all, and without IPv4 nothing", async () => {
    expect(verdictsOf(await strictly(createWorld(), "1", "1").file("/proc/net/route", "Iface").judge(check("NET-02")))).toEqual(["fail"]);
    const onlySix = createWorld({ links: [{ ...lan, addresses: ["fe80::1/64"] }] });
    expect(verdictsOf(await strictly(onlySix, "1", "1").file("/proc/net/route", "Iface").judge(check("NET-02")))).toEqual(["pass"]);
  });

  test("cannot tell without the files", async () => {
    expect(verdictsOf(await createWorld().judge(check("NET-02")))).toEqual(["unknown"]);
    expect(verdictsOf(await strictly(createWorld(), "1", "1").judge(check("NET-02")))).toEqual(["unknown"]);
  });
});

describe("NET-03, MTU", () => {
  test.each([
    ["1500", "pass"],
    ["1280", "pass"],
    ["1279", "fail"],
    ["what", "unknown"],
  ])("%s: %s", async (mtu, verdict) => {
    expect(verdictsOf(await createWorld().file("/sys/class/net/e0/mtu", mtu).judge(check("NET-03")))).toEqual([verdict]);
  });
});

describe("NET-04, a second reflector", () => {
  test("passes beside avahi, which most machines have", async () => {
    expect(verdictsOf(await createWorld().process({ pid: 9, name: "avahi-daemon" }).judge(check("NET-04")))).toEqual(["pass"]);
  });

  test("fails beside a program that does nothing else", async () => {
    const world = createWorld().process({ pid: 9, name: "mdns-repeater" });
    expect(outcomesOf(await world.judge(check("NET-04")))).toMatchObject([
      {
        verdict: "fail",
        text: expect.stringMatching(/^mdns-repeater carries/),
        evidence: [{ source: "/proc/9/comm", value: "mdns-repeater" }],
      },
    ]);
  });

  test("one in a network of its own carries nothing between these links", async () => {
    const world = createWorld().process({ pid: 9, name: "mdns-repeater" }).link("/proc/self/ns/net", "net:[1]");
    expect(verdictsOf(await world.link("/proc/9/ns/net", "net:[2]").judge(check("NET-04")))).toEqual(["pass"]);
    expect(verdictsOf(await world.link("/proc/9/ns/net", "net:[1]").judge(check("NET-04")))).toEqual(["fail"]);
  });

  test("fails when echoes are heard, and then names avahi", async () => {
    const world = createWorld({ conditions: ["relay.second-reflector"] }).process({ pid: 9, name: "avahi-daemon" });
    expect(outcomesOf(await world.judge(check("NET-04")))).toMatchObject([{ verdict: "fail", evidence: [{}, { value: "avahi-daemon" }] }]);
  });

  test("cannot tell without processes, unless echoes are heard", async () => {
    expect(verdictsOf(await createWorld().remove("/proc").judge(check("NET-04")))).toEqual(["unknown"]);
    expect(
      verdictsOf(
        await createWorld({ conditions: ["relay.second-reflector"] })
          .remove("/proc")
          .judge(check("NET-04")),
      ),
    ).toEqual(["fail"]);
  });
});

describe("NET-05, IPv6", () => {
  const path = "/proc/sys/net/ipv6/conf/e0/disable_ipv6";

  test("passes when on, fails when off, with the key that switched it off", async () => {
    expect(verdictsOf(await createWorld().file(path, "0").judge(check("NET-05")))).toEqual(["pass"]);
    const off = createWorld().file(path, "1").file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "0");
    const own = { change: "sysctl", name: "net.ipv6.conf.e0.disable_ipv6", value: "0" };
    expect(outcomesOf(await off.judge(check("NET-05")))).toMatchObject([{ verdict: "fail", remedy: { talos: [own] } }]);
    off.file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    expect(outcomesOf(await off.judge(check("NET-05")))).toMatchObject([
      { remedy: { talos: [{ name: "net.ipv6.conf.all.disable_ipv6" }] } },
    ]);
  });

  test("a kernel without IPv6 is told of its command line; what cannot be read cannot be told", async () => {
    expect(outcomesOf(await createWorld().judge(check("NET-05")))).toMatchObject([
      { verdict: "fail", remedy: { text: expect.stringContaining("ipv6.disable") } },
    ]);
    expect(verdictsOf(await createWorld().unreadable(path).judge(check("NET-05")))).toEqual(["unknown"]);
  });
});

describe("NET-06, interfaces that are not there", () => {
  test("a VLAN is made, another name is corrected", async () => {
    const world = createWorld({ links: [lan, absent, { ...absent, name: "lam" }, { ...absent, name: "e0.5000" }] }).directory(
      "/sys/class/net/e0",
    );
    const outcomes = outcomesOf(await world.judge(check("NET-06")));
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(["pass", "fail", "fail", "fail"]);
    expect(outcomes.map(({ remedy }) => remedy?.talos)).toEqual([
      undefined,
      [{ change: "vlan", name: "e0.30", id: 30, parent: "e0" }],
      undefined,
      undefined,
    ]);
  });
});

describe("NET-07, ports that somebody keeps", () => {
  const refused: RelayLinkStatus = { ...lan, state: "failed", why: "cannot open mDNS: bind (EADDRINUSE)" };

  test("passes beside programs that share, and where the trouble is another", async () => {
    const world = createWorld({ links: [lan, { ...lan, state: "failed", why: "bind (EPERM)" }] }).file("/proc/net/udp", udp.trimEnd());
    expect(verdictsOf(await world.judge(check("NET-07")))).toEqual(["pass", "pass"]);
  });

  test("fails where the rest of the link is up, and what it is not a member of for that is not laid to the kernel", async () => {
    const world = createWorld({ links: [{ ...refused, state: "up" }] }).file("/proc/net/udp", udp.trimEnd());
    expect(verdictsOf(await world.judge(check("NET-07")))).toEqual(["fail"]);
    expect(verdictsOf(await world.judge(check("NET-09")))).toEqual(["unknown"]);
  });

  test("fails where the relay was refused, and names who has the port, but not aerial", async () => {
    const world = createWorld({ links: [refused] }).files({ "/proc/net/udp": udp.trimEnd(), "/proc/net/udp6": udp6.trimEnd() });
    world
      .process({ pid: 7, name: "dnsmasq", open: ["socket:[1727834]"] })
      .process({ pid: 8, name: "aerial", open: ["socket:[1727836]"] })
      .link("/proc/self", "8");
    expect(outcomesOf(await world.judge(check("NET-07")))).toMatchObject([
      {
        verdict: "fail",
        text: expect.stringMatching(/to itself: dnsmasq \(process 7\) on port 5353\.$/),
        evidence: [{ source: "relay" }, { source: "/proc/net/udp", value: expect.stringContaining("14E9") }],
      },
    ]);
  });

  test("fails even where nobody knows who has it", async () => {
    expect(outcomesOf(await createWorld({ links: [refused] }).judge(check("NET-07")))).toMatchObject([
      { verdict: "fail", evidence: [{ source: "relay" }] },
    ]);
  });
});

describe("NET-08, multicast", () => {
  test.each([
    ["0x1003", "pass"],
    ["0x3", "fail"],
    ["", "unknown"],
  ])("flags %s: %s", async (flags, verdict) => {
    expect(verdictsOf(await createWorld().file("/sys/class/net/e0/flags", flags).judge(check("NET-08")))).toEqual([verdict]);
  });
});

describe("NET-09, memberships", () => {
  const tables = { "/proc/net/igmp": igmp.trimEnd(), "/proc/net/igmp6": igmp6.trimEnd() };

  test("passes where both families are joined, and asks only for what is carried", async () => {
    expect(verdictsOf(await createWorld().files(tables).judge(check("NET-09")))).toEqual(["pass"]);
    expect(
      verdictsOf(
        await createWorld({ protocols: ["wsd"] })
          .files({ "/proc/net/igmp": "", "/proc/net/igmp6": "" })
          .judge(check("NET-09")),
      ),
    ).toEqual(["pass"]);
  });

  test("fails for each group that is missing", async () => {
    const world = createWorld({ protocols: ["mdns", "ssdp"] }).files({ ...tables, "/proc/net/igmp6": "" });
    const [outcome] = outcomesOf(await world.judge(check("NET-09")));
    expect(outcome?.verdict).toBe("fail");
    expect(outcome?.evidence.map(({ value }) => value)).toEqual(["no ff02::fb on e0", "no 239.255.255.250 on e0"]);
  });

  test("a link without IPv6 needs no IPv6 group", async () => {
    const world = createWorld({ links: [{ ...lan, addresses: ["192.168.1.9/24"] }] }).files({ ...tables, "/proc/net/igmp6": "" });
    expect(verdictsOf(await world.judge(check("NET-09")))).toEqual(["pass"]);
  });

  test("cannot tell of a link that is down, or without the tables", async () => {
    expect(
      verdictsOf(
        await createWorld({ links: [{ ...lan, state: "down" }] })
          .files(tables)
          .judge(check("NET-09")),
      ),
    ).toEqual(["unknown"]);
    const [outcome] = outcomesOf(await createWorld().judge(check("NET-09")));
    expect(outcome).toMatchObject({ verdict: "unknown", text: expect.stringContaining("/proc/net/igmp cannot be read") });
  });
});

describe("NET-10, the host's network", () => {
  const world = (own: string, host: string): FactsWorld => createWorld().link("/proc/self/ns/net", own).link("/proc/1/ns/net", host);

  test("passes in it, fails outside", async () => {
    expect(verdictsOf(await world("net:[1]", "net:[1]").judge(check("NET-10")))).toEqual(["pass"]);
    expect(verdictsOf(await world("net:[1]", "net:[2]").judge(check("NET-10")))).toEqual(["fail"]);
  });

  test("cannot tell where process 1 is its own, or may not be asked", async () => {
    expect(verdictsOf(await createWorld().link("/proc/self", "1").link("/proc/1/ns/net", "net:[1]").judge(check("NET-10")))).toEqual([
      "unknown",
    ]);
    expect(verdictsOf(await createWorld().link("/proc/self/ns/net", "net:[1]").judge(check("NET-10")))).toEqual(["unknown"]);
  });
});

describe("NET-11, links that are down", () => {
  test("passes when up, fails when down, with what the kernel says", async () => {
    const world = createWorld({ links: [lan, { ...lan, name: "iot", state: "down", why: "the interface is down or has no carrier" }] });
    world.file("/sys/class/net/e0/operstate", "down");
    const outcomes = outcomesOf(await world.judge(check("NET-11")));
    expect(outcomes.map(({ verdict }) => verdict)).toEqual(["pass", "fail"]);
    expect(outcomes[1]).toMatchObject({ text: expect.stringMatching(/no carrier/), evidence: [{ value: "down" }] });
  });
});
