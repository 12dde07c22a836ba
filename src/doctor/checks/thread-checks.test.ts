import { describe, expect, it, test } from "vitest";
import type { FactsWorld } from "../../../test/fixtures/facts-world.ts";
import { createFactsWorld } from "../../../test/fixtures/facts-world.ts";
import {
  createThreadWorld,
  learnedRoute,
  matterPod,
  threadPod,
  threadRelay,
  threadService,
  type ThreadWorldOptions,
} from "../../../test/fixtures/thread-world.ts";
import type { Check, Outcome } from "../../core/check.ts";
import { threadChecks } from "./thread-checks.ts";

const conf = "/proc/sys/net/ipv6/conf/enp1s0";

/** One change of a well node, and what the check then says. */
interface Case {
  readonly world?: ThreadWorldOptions;
  readonly change?: (world: FactsWorld) => unknown;
}

interface Scenario {
  /** Beyond the well node, where the check needs more to judge at all. */
  readonly base?: Case;
  readonly fails: Readonly<Record<string, Case>>;
  readonly unknown: Case;
}

const withoutConfig = { change: (world: FactsWorld) => world.remove("/proc/config.gz") };
const config = (options: Readonly<Record<string, string>>): Case => ({ change: (world) => world.kernelConfig(options) });
const write = (path: string, text: string): Case => ({ change: (world) => world.file(path, text) });
const hide = (path: string): Case => ({ change: (world) => world.unreadable(path) });

const allOptions = {
  CONFIG_IPV6_MROUTE: "y",
  CONFIG_IPV6_ROUTE_INFO: "y",
  CONFIG_IPV6_ROUTER_PREF: "y",
  CONFIG_IP_SET: "m",
  CONFIG_NETFILTER_XT_SET: "m",
  CONFIG_NFT_COMPAT: "m",
};
const matterOnly = { pods: [matterPod] };
const heard = { relay: threadRelay(), services: [threadService()] };
const alone = (world: FactsWorld): FactsWorld => world.remove("/proc/900").remove("/sys/class/net/wpan0");

const scenarios: Readonly<Record<string, Scenario>> = {
  "THR-01": {
    fails: {
      "switched off": write(`${conf}/disable_ipv6`, "1"),
      "ipv6.disable=1": { change: (world) => world.remove("/proc/sys/net/ipv6").file("/proc/cmdline", "ipv6.disable=1") },
    },
    unknown: hide(`${conf}/disable_ipv6`),
  },
  "THR-02": {
    fails: { "not forwarding": write("/proc/sys/net/ipv6/conf/all/forwarding", "0") },
    unknown: hide("/proc/sys/net/ipv6/conf/all/forwarding"),
  },
  "THR-03": {
    base: { world: matterOnly, change: (world) => alone(world).file("/proc/sys/net/ipv6/conf/all/forwarding", "0") },
    fails: { forwarding: write("/proc/sys/net/ipv6/conf/all/forwarding", "1") },
    unknown: hide("/proc/sys/net/ipv6/conf/all/forwarding"),
  },
  "THR-04": {
    fails: { "forwarding, and only 1": write(`${conf}/accept_ra`, "1"), "told to": write(`${conf}/accept_ra`, "0") },
    unknown: { change: (world) => world.file(`${conf}/accept_ra`, "0").process({ pid: 50, name: "NetworkManager" }) },
  },
  "THR-05": {
    fails: {
      "the kernel's default": write(`${conf}/accept_ra_rt_info_max_plen`, "0"),
      "one too few": write(`${conf}/accept_ra_rt_info_max_plen`, "63"),
      "not built": { change: (world) => world.remove(`${conf}/accept_ra_rt_info_max_plen`) },
    },
    unknown: hide(`${conf}/accept_ra_rt_info_max_plen`),
  },
  "THR-06": {
    fails: { "too long": write(`${conf}/accept_ra_rt_info_min_plen`, "65") },
    unknown: write(`${conf}/accept_ra_rt_info_min_plen`, "?"),
  },
  "THR-07": { fails: { off: write(`${conf}/accept_ra_rtr_pref`, "0") }, unknown: hide(`${conf}/accept_ra_rtr_pref`) },
  "THR-08": {
    base: { world: heard },
    fails: {
      "no such route": {
        world: heard,
        change: (world) => world.file("/proc/net/ipv6_route", learnedRoute("enp1s0").replace("00c5", "0045")),
      },
    },
    unknown: { world: heard, ...hide("/proc/net/ipv6_route") },
  },
  "THR-09": {
    fails: {
      none: write("/proc/net/if_inet6", "00000000000000000000000000000001 01 80 10 80       lo"),
      duplicate: write("/proc/net/if_inet6", "fe80000000000000021122fffe334455 02 40 20 c8   enp1s0"),
    },
    unknown: write("/proc/net/if_inet6", "fe80000000000000021122fffe334455 02 40 20 c0   enp1s0"),
  },
  "THR-10": {
    fails: {
      absent: { change: (world) => world.remove("/dev/net/tun") },
      "a directory": { change: (world) => world.remove("/dev/net/tun").directory("/dev/net/tun") },
      "other numbers": { change: (world) => world.node("/dev/net/tun", { major: 10, minor: 201 }) },
    },
    unknown: { change: (world) => world.remove("/dev").file("/dev", "") },
  },
  "THR-11": {
    fails: { down: write("/sys/class/net/wpan0/flags", "0x1090"), absent: { change: (world) => world.remove("/sys/class/net/wpan0") } },
    unknown: hide("/sys/class/net/wpan0/flags"),
  },
  "THR-12": {
    fails: Object.fromEntries(
      Object.keys(allOptions).map((name) => [name, config(Object.fromEntries(Object.entries(allOptions).filter(([key]) => key !== name)))]),
    ),
    unknown: withoutConfig,
  },
  "THR-13": {
    fails: { "the old image": { world: { pods: [threadPod({ images: ["openthread/otbr:latest"] })] } } },
    unknown: withoutConfig,
  },
  "THR-14": { fails: { "not built": config(allOptions) }, unknown: withoutConfig },
  "THR-15": {
    fails: { "two of them": { change: (world) => world.process({ pid: 901, name: "otbr-agent" }) } },
    unknown: write("/proc/net/ip6_mr_vif", "Interface      BytesIn  PktsIn  BytesOut PktsOut Flags"),
  },
  "THR-17": {
    fails: { "the kernel's default": write("/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream", "120") },
    unknown: hide("/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream"),
  },
  "THR-18": {
    fails: { "the kernel's default": write("/proc/sys/net/ipv4/igmp_max_memberships", "20") },
    unknown: hide("/proc/sys/net/ipv4/igmp_max_memberships"),
  },
  "THR-19": {
    fails: { "the kernel's old default": write("/proc/sys/net/core/optmem_max", "20480") },
    unknown: hide("/proc/sys/net/core/optmem_max"),
  },
  "THR-20": {
    fails: {
      "another name": { world: { pods: [threadPod({ environment: { OT_INFRA_IF: "eth7" } })] } },
      "the image's default": { world: { pods: [threadPod({ environment: {} })] } },
    },
    unknown: { world: { pods: [threadPod({ environment: {}, images: ["ghcr.io/somebody/otbr:1"] })] } },
  },
  "THR-21": {
    fails: { "loopback only": write("/proc/net/tcp", "   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000") },
    unknown: hide("/proc/net/tcp"),
  },
  "THR-26": {
    fails: { "nobody may": write("/proc/sys/net/ipv4/ping_group_range", "1\t0") },
    unknown: hide("/proc/sys/net/ipv4/ping_group_range"),
  },
};

const checkOf = (id: string): Check => threadChecks.find((check) => check.id === id)!;

async function judge(id: string, ...cases: readonly Case[]): Promise<readonly Outcome[]> {
  using world = createThreadWorld(Object.assign({}, ...cases.map((each) => each.world)) as ThreadWorldOptions);
  for (const { change } of cases) change?.(world);
  const outcomes = await world.judge(checkOf(id));
  if (typeof outcomes === "string") expect.unreachable(`${id} is not applicable: ${outcomes}`);
  return outcomes;
}

const verdicts = (outcomes: readonly Outcome[]): readonly string[] => outcomes.map(({ verdict }) => verdict);

describe.each(Object.entries(scenarios))("%s", (id, { base = {}, fails, unknown }) => {
  it("passes on a well node", async () => {
    expect(verdicts(await judge(id, base))).toEqual(["pass"]);
  });

  test.each(Object.entries(fails))("fails: %s", async (_name, change) => {
    const outcomes = await judge(id, base, change);
    expect(verdicts(outcomes)).toEqual(["fail"]);
    const [{ text, evidence, remedy }] = outcomes as [Outcome];
    expect(text).toMatch(/[.]$/);
    expect(evidence.length).toBeGreaterThan(0);
    expect(remedy?.text).toMatch(/[.]$/);
  });

  it("says when it cannot tell", async () => {
    expect(verdicts(await judge(id, base, unknown))).toEqual(["unknown"]);
  });

  it("has nothing to judge where nothing speaks Thread", async () => {
    using world = createFactsWorld();
    world.file("/proc/sys/net/ipv6/conf/enp1s0/accept_ra", "0").file("/sys/class/net/enp1s0/type", "1");
    expect(await world.judge(checkOf(id))).toBeTypeOf("string");
  });
});

describe("THR-22", () => {
  it("fails only for what is carried between links", async () => {
    const quiet = await judge("THR-22", { world: heard });
    expect(verdicts(quiet)).toEqual(["pass"]);
    const carried = threadService({ service: "_matter._tcp", relayedTo: ["iot"] });
    expect(verdicts(await judge("THR-22", { world: { ...heard, services: [carried] } }))).toEqual(["fail"]);
  });
});

describe("THR-24", () => {
  it("fails on Talos where a link is silent, and asks for a rule that shuts nobody out", async () => {
    expect(verdicts(await judge("THR-24", { world: heard }))).toEqual(["pass"]);
    const [outcome] = await judge("THR-24", { world: { relay: threadRelay(0) } });
    expect(outcome).toMatchObject({
      verdict: "fail",
      remedy: { talos: [{ change: "firewall-rule", port: 5353, subnets: ["0.0.0.0/0", "::/0"] }] },
    });
    using debian = createThreadWorld({ relay: threadRelay(0), kernel: "6.1.0-56-amd64" });
    expect(await debian.judge(checkOf("THR-24"))).toBeTypeOf("string");
  });
});

describe("what runs in a network of its own", () => {
  const own = (world: FactsWorld): FactsWorld => world.remove("/sys/class/net/wpan0").link("/proc/self/ns/net", "net:[1]");

  it("is no border router of this one, be it a process or a pod", async () => {
    using world = createThreadWorld({ pods: [threadPod()] });
    own(world).file("/proc/sys/net/ipv6/conf/all/forwarding", "0").link("/proc/900/ns/net", "net:[2]");
    world
      .process({ pid: 910, name: "s6-svscan", cgroup: `/kubepods/burstable/pod${threadPod().uid}/${"ab".repeat(32)}` })
      .link("/proc/910/ns/net", "net:[2]");
    expect(await world.judge(checkOf("THR-02"))).toBe("no OpenThread border router is seen on this node");
  });

  it("is one where it is the same network, or where that cannot be told", async () => {
    for (const network of ["net:[1]", undefined]) {
      using world = createThreadWorld();
      own(world).file("/proc/sys/net/ipv6/conf/all/forwarding", "0");
      if (network !== undefined) world.link("/proc/900/ns/net", network);
      expect(await world.judge(checkOf("THR-02"))).toMatchObject([{ verdict: "fail" }]);
    }
  });
});

describe("remedies", () => {
  it("write the name of an interface with a dot with slashes, and name none that does not exist", async () => {
    using world = createThreadWorld({ interface: "enp1s0.30", pods: [threadPod({ environment: { OT_INFRA_IF: "gone" } })] });
    world.file("/proc/sys/net/ipv6/conf/enp1s0.30/accept_ra_rt_info_max_plen", "0");
    const outcomes = (await world.judge(checkOf("THR-05"))) as readonly Outcome[];
    expect(outcomes.flatMap(({ remedy }) => remedy?.talos ?? [])).toEqual([
      { change: "sysctl", name: "net/ipv6/conf/enp1s0.30/accept_ra_rt_info_max_plen", value: "64" },
      { change: "sysctl", name: "net.ipv6.conf.default.accept_ra_rt_info_max_plen", value: "64" },
    ]);
  });

  it("keep advertisements coming in when they switch forwarding on", async () => {
    const [outcome] = await judge("THR-02", {
      change: (world) => world.file("/proc/sys/net/ipv6/conf/all/forwarding", "0").file(`${conf}/accept_ra`, "1"),
    });
    expect(outcome?.remedy?.talos).toEqual([
      { change: "sysctl", name: "net.ipv6.conf.all.forwarding", value: "1" },
      { change: "sysctl", name: "net.ipv6.conf.enp1s0.accept_ra", value: "2" },
    ]);
  });

  it("switch no forwarding off where there is a cluster", async () => {
    const [outcome] = await judge("THR-03", { world: matterOnly, change: alone });
    expect(outcome).toMatchObject({ verdict: "fail" });
    expect(outcome?.remedy).not.toHaveProperty("talos");
    expect(outcome?.remedy).not.toHaveProperty("linux");
  });
});
