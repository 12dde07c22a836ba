/** What makes Thread and Matter unreliable rather than dead: timeouts, limits, and discovery where it should not go. */
import type { Check, Facts, Outcome } from "../../core/check.ts";
import { evidenceOf, fail, pass, unknown, whyNot } from "../judge.ts";
import { sysctlRemedy } from "../read/sysctl.ts";
import { nobodySpeaks, threadUserReads, threadUsers } from "../read/thread-users.ts";

type User = "matter" | "borderRouter";
const userNames: Readonly<Record<User, string>> = { matter: "Matter server", borderRouter: "OpenThread border router" };

interface LimitRule extends Pick<Check, "id" | "level" | "title" | "source"> {
  readonly path: string;
  readonly for: readonly User[];
  readonly least: number;
  readonly wanted: string;
  readonly good: string;
  readonly bad: string;
  /** Said where the file is not there; left out: that nobody can tell. */
  readonly absent?: string;
}

/** A parameter that must be at least so high. */
function limit(rule: LimitRule): Check {
  const { id, level, title, source, path } = rule;
  return {
    id,
    level,
    title,
    source,
    reads: [...threadUserReads, path],
    judge(facts) {
      const users = threadUsers(facts);
      if (rule.for.every((user) => users[user].length === 0))
        return nobodySpeaks(facts, rule.for.map((user) => userNames[user]).join(" or "));
      return judgeLimit(facts, rule);
    },
  };
}

function judgeLimit(facts: Facts, { path, least, wanted, good, bad, absent }: LimitRule): readonly Outcome[] | string {
  const reading = facts.file(path);
  const evidence = [evidenceOf(path, reading)];
  if (reading.state === "absent" && absent !== undefined) return absent;
  if (reading.state !== "read") return [unknown(`${path} cannot be judged: ${whyNot(reading)}.`, evidence)];
  const value = /^\d{1,15}$/.test(reading.value.trim()) ? Number(reading.value) : undefined;
  if (value === undefined) return [unknown(`${path} cannot be judged: it holds no number.`, evidence)];
  if (value >= least) return [pass(good, evidence)];
  return [fail({ text: bad, evidence, remedy: sysctlRemedy(`Raise it to ${wanted}.`, { [path]: wanted }) })];
}

const limits = [
  limit({
    id: "THR-17",
    level: "warning",
    title: "Connections of sleepy devices are not forgotten",
    source: "matter-js/matterjs-server docs; kernel: Documentation/networking/nf_conntrack-sysctl.rst",
    path: "/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream",
    for: ["matter", "borderRouter"],
    least: 1800,
    wanted: "3600",
    good: "The kernel remembers UDP connections long enough for devices that sleep.",
    bad: "The kernel forgets UDP connections before devices that sleep wake up: Matter subscriptions are lost every 15 to 30 minutes.",
    absent: "the kernel tracks no connections",
  }),
  limit({
    id: "THR-18",
    level: "warning",
    title: "Enough multicast groups can be joined",
    source: "kernel: Documentation/networking/ip-sysctl.rst, igmp_max_memberships; home-assistant/operating-system",
    path: "/proc/sys/net/ipv4/igmp_max_memberships",
    for: ["matter", "borderRouter"],
    least: 1024,
    wanted: "1024",
    good: "A program can join as many multicast groups as it needs.",
    bad: "A program can join only a few multicast groups (ENOBUFS): with many interfaces discovery stops working.",
  }),
  limit({
    id: "THR-19",
    level: "info",
    title: "The border router may join many groups",
    source: "kernel: Documentation/admin-guide/sysctl/net.rst, optmem_max; home-assistant/operating-system",
    path: "/proc/sys/net/core/optmem_max",
    for: ["borderRouter"],
    least: 65_536,
    wanted: "65536",
    good: "The border router may join the groups of all its devices.",
    bad: "The border router may fail to join the groups by which it answers for its devices.",
  }),
];

/** Found from another link, these cannot be reached. */
const linkBound: ReadonlySet<string> = new Set(["_matter._tcp", "_matterc._udp", "_matterd._udp", "_meshcop._udp", "_trel._udp"]);

const reflectedMatter: Check = {
  id: "THR-22",
  level: "warning",
  title: "Matter and Thread stay on their link",
  source: "matter-js/matterjs-server docs: no mDNS reflectors between a controller and its devices",
  reads: [],
  judge(facts) {
    if (facts.relay === undefined) return "no relay runs here";
    const carried = facts.services.filter(({ service, relayedTo }) => linkBound.has(service) && relayedTo.length > 0);
    const services = [...new Set(carried.map(({ service }) => service))];
    if (services.length === 0) return [pass("The relay carries nothing of Matter and Thread between links.", [])];
    return [
      fail({
        text: `The relay carries ${services.join(", ")} between links: devices are then found from where they cannot be reached.`,
        evidence: carried.slice(0, 5).map(({ service, instance, link, relayedTo }) => ({
          source: `mDNS ${service}`,
          value: `"${instance}" from ${link} to ${relayedTo.join(", ")}`,
        })),
        remedy: {
          text: "Take the rule out of relay.rules that allows it, and keep the controller, the border routers and the devices on one link.",
        },
      }),
    ];
  },
};

const silentMinutes = 10;
/** mDNS for both families, from everywhere: a rule for fewer would shut others out. */
const mdnsFrom = ["0.0.0.0/0", "::/0"] as const;

const silentLinks: Check = {
  id: "THR-24",
  level: "warning",
  title: "Discovery is heard",
  source: "siderolabs/talos internal/app/machined/pkg/controllers/network/nftables_chain_config.go",
  reads: [],
  judge(facts) {
    if (facts.os.id !== "talos") return "this is not Talos, whose firewall it is about";
    if (facts.relay === undefined) return "no relay runs here, so aerial does not listen for mDNS";
    const { links, pairs } = facts.relay;
    const since = Math.min(...pairs.map(({ since: at }) => Date.parse(at)));
    if (!(Date.parse(facts.at) - since >= silentMinutes * 60_000)) return `the relay has not listened for ${silentMinutes} minutes yet`;
    const judged = links.filter(({ state }) => state === "up");
    if (judged.length === 0) return "no link of the relay is up";
    return judged.map(({ name, heard }) => {
      const packets = Object.values(heard).reduce((sum, count) => sum + count, 0);
      const evidence = [{ source: `relay link ${name}`, value: `${packets} packets heard` }];
      if (packets > 0) return pass(`Multicast is heard on ${name}.`, evidence, { subject: name });
      return fail({
        subject: name,
        text: `Nothing at all has been heard on ${name}: nobody is there, a switch holds multicast back, or Talos' firewall does (ingress: block).`,
        evidence,
        remedy: {
          text: "If NetworkDefaultActionConfig says block, let mDNS in. It also lets no more than 5 ICMPv6 packets a second in, which Thread's routes need: ingress: accept is better for a border router.",
          talos: [{ change: "firewall-rule", name: "mdns", port: 5353, protocol: "udp", subnets: mdnsFrom }],
        },
      });
    });
  },
};

/** Of the user that the image of matter.js' server runs as. */
const matterGroup = 1000;

const pings: Check = {
  id: "THR-26",
  level: "info",
  title: "The Matter server can ping its devices",
  source: "kernel: Documentation/networking/ip-sysctl.rst, ping_group_range; matter-js/matterjs-server docs/docker.md",
  reads: [...threadUserReads, "/proc/sys/net/ipv4/ping_group_range"],
  judge(facts) {
    if (threadUsers(facts).matter.length === 0) return nobodySpeaks(facts, "Matter server");
    const path = "/proc/sys/net/ipv4/ping_group_range";
    const reading = facts.file(path);
    const evidence = [evidenceOf(path, reading)];
    if (reading.state !== "read") return [unknown(`${path} cannot be judged: ${whyNot(reading)}.`, evidence)];
    const [from = Number.NaN, to = Number.NaN] = reading.value.trim().split(/\s+/).map(Number);
    if (from <= matterGroup && matterGroup <= to) return [pass("The Matter server may ping.", evidence)];
    return [
      fail({
        text: "The Matter server's user may not ping: what its page says of a device's reachability is wrong.",
        evidence,
        remedy: sysctlRemedy("Let all groups ping, or give the pod NET_RAW.", { [path]: "0 2147483647" }),
      }),
    ];
  },
};

export const threadComfortChecks: readonly Check[] = [...limits, reflectedMatter, silentLinks, pings];
