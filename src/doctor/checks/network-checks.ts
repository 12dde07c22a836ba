/** What else on this machine decides whether the relay hears and is heard. */
import type { Check, Facts, FindingEvidence, Outcome } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown, whyNot } from "../judge.ts";
import { numberIn, whyNoFile } from "../read/evidence.ts";
import { isElsewhere, ownNetwork } from "../read/own-network.ts";
import { parseDatagramSockets, parseRoutes4, type Route4 } from "../read/proc-net.ts";
import { hasFamily, linkLabel, noRelay, ofEachLink, type PresentLink } from "../read/relay-links.ts";
import { sysctlRemedy } from "../read/sysctl.ts";

const filterOf = (name: string): string => `/proc/sys/net/ipv4/conf/${name}/rp_filter`;
const routes = "/proc/net/route";
/** Strict mode: a packet must come in where the kernel would send its answer out (RFC 3704 §2.2). */
const strict = 1;

const reversePath: Check = {
  id: "NET-02",
  level: "warning",
  title: "The kernel keeps no answers from the relay",
  source: "Linux Documentation/networking/ip-sysctl.rst, rp_filter: the greater of all and the interface counts",
  reads: [filterOf("*"), routes],
  judge: (facts) => ofEachLink(facts, (link) => judgeReversePath(facts, link)),
};

function judgeReversePath(facts: Facts, link: PresentLink): Outcome {
  const about = { subject: link.name };
  const files = [filterOf("all"), filterOf(link.interface)];
  const evidence = files.map((path) => evidenceOf(path, facts.file(path)));
  const unreadable = files.find((path) => facts.file(path).state !== "read");
  if (unreadable !== undefined) {
    return unknown(
      `Whether the kernel filters what comes over ${linkLabel(link)} cannot be told: ${unreadable} cannot be read.`,
      evidence,
      about,
    );
  }
  const mode = Math.max(...files.map((path) => numberIn(facts.file(path)) ?? 0));
  if (mode !== strict) return pass(`The kernel lets answers in over ${linkLabel(link)}.`, evidence, about);
  if (!hasFamily(link, 4)) return pass(`${linkLabel(link)} has no IPv4, which is all that is filtered.`, evidence, about);
  const table = facts.file(routes);
  if (table.state !== "read")
    return unknown(`Over which interface answers belong cannot be told: ${whyNoFile(routes, table)}.`, evidence, about);
  // Strict mode is fine as long as the network of each link is reached over that link and over no other.
  const direct = parseRoutes4(table.value).filter(({ isDirect, mask }) => isDirect && mask !== "00000000");
  const own = direct.filter((route) => route.interface === link.interface);
  // Of two routes to one network the smaller metric counts, and else the one that was there first, which is listed first.
  const isBetter = (other: Route4, than: Route4): boolean =>
    other.metric < than.metric || (other.metric === than.metric && direct.indexOf(other) < direct.indexOf(than));
  const rival = own.flatMap((route) =>
    direct.filter(
      (other) =>
        other.interface !== link.interface &&
        other.destination === route.destination &&
        other.mask === route.mask &&
        isBetter(other, route),
    ),
  )[0];
  if (own.length > 0 && rival === undefined)
    return pass(`The kernel filters strictly, but answers belong to ${linkLabel(link)}.`, evidence, about);
  return fail({
    ...about,
    text:
      rival === undefined
        ? `The kernel drops IPv4 packets that come over ${linkLabel(link)}, because no route leads back over it.`
        : `The kernel drops IPv4 packets that come over ${linkLabel(link)}, because it reaches the same network over ${rival.interface}.`,
    evidence: [...evidence, { source: routes, value: rival?.line ?? `no network of ${link.interface}` }],
    remedy: sysctlRemedy("Let the kernel filter loosely.", { [filterOf("all")]: "2" }),
  });
}

/** Programs that do nothing but carry multicast between links; comm holds 15 bytes. */
const reflectors: ReadonlySet<string> = new Set([
  "mdns-repeater",
  "mdns-reflector",
  "mdns-bridge",
  "multicast-relay",
  "udpbroadcastrel",
  "udp-broadcast-r",
]);
const secondReflector = "relay.second-reflector";

const secondRelay: Check = {
  id: "NET-04",
  level: "fail",
  title: "Nothing else carries the same",
  source: "RFC 6762 §11; two reflectors between the same links feed each other",
  reads: [ownNetwork],
  judge(facts) {
    if (facts.relay === undefined) return noRelay;
    const { processes } = facts;
    const isAway = isElsewhere(facts);
    const here = (valueOf(processes) ?? []).filter((process) => !isAway(process));
    const found = here.filter(({ name }) => reflectors.has(name));
    // avahi reflects only if it was told to, so it is named but not blamed.
    const suspects = here.filter(({ name }) => name === "avahi-daemon");
    const heard: readonly FindingEvidence[] = facts.conditions.has(secondReflector)
      ? [{ source: `condition ${secondReflector}`, value: "echoes of what aerial would send are heard" }]
      : [];
    const programs = (list: typeof found): FindingEvidence[] => list.map(({ pid, name }) => ({ source: `/proc/${pid}/comm`, value: name }));
    if (found.length + heard.length > 0) {
      const who = found.length === 0 ? "Another program in this network" : found.map(({ name }) => name).join(" and ");
      return [
        fail({
          text: `${who} carries discovery between the same links as aerial, and each carries the other's packets again.`,
          evidence: [...programs(found), ...heard, ...(found.length === 0 ? programs(suspects) : [])],
          remedy: {
            text: "Use one of the two: switch the other off (in avahi `enable-reflector=no`, in a router “mDNS repeater” or “multicast forwarding”), or take the link out of aerial's relay.",
          },
        }),
      ];
    }
    if (processes.state !== "read") return [unknown(`Whether another program here carries the same cannot be told: ${whyNot(processes)}.`)];
    return [pass("Nothing else carries discovery between aerial's links, as far as this machine and its links show.")];
  },
};

const udpTables = ["/proc/net/udp", "/proc/net/udp6"];
/** Ports of what is carried: mDNS, SSDP, WS-Discovery, and that of older Sonos. */
const carriedPorts: ReadonlySet<number> = new Set([5353, 1900, 3702, 6969]);

const taken: Check = {
  id: "NET-07",
  level: "warning",
  title: "The relay's ports are free or shared",
  source: "socket(7), SO_REUSEADDR; proc_pid_net(5)",
  reads: [...udpTables, "/proc/self"],
  judge: (facts) =>
    ofEachLink(facts, (link) => {
      const about = { subject: link.name };
      // Others that share the port are as it should be: Home Assistant, border routers, Matter servers, avahi.
      if (link.why?.includes("EADDRINUSE") !== true) {
        return pass(`The relay has the ports it needs on ${linkLabel(link)}.`, [], about);
      }
      const holders = holdersOfPorts(facts);
      return fail({
        ...about,
        text: `A program on this machine keeps a port that the relay needs on ${linkLabel(link)} to itself${holders.length === 0 ? "" : `: ${holders.map(({ who }) => who).join(", ")}`}.`,
        evidence: [{ source: "relay", value: link.why }, ...holders.map(({ evidence }) => evidence)],
        remedy: {
          text: "Stop that program, or have it share the port (SO_REUSEADDR): in a pod, without hostNetwork it has ports of its own.",
          linux: ["ss -ulpn 'sport = :5353 or sport = :1900'"],
        },
      });
    }),
};

/** Others' sockets on those ports, by program. */
function holdersOfPorts(facts: Facts): readonly { readonly who: string; readonly evidence: FindingEvidence }[] {
  const own = Number(valueOf(facts.link("/proc/self")));
  const processes = valueOf(facts.processes) ?? [];
  return udpTables.flatMap((source) =>
    parseDatagramSockets(valueOf(facts.file(source)) ?? "").flatMap(({ port, inode, line }) => {
      if (!carriedPorts.has(port)) return [];
      const holder = processes.find(({ socketInodes }) => socketInodes.includes(inode));
      if (holder?.pid === own) return [];
      const who = holder === undefined ? `an unknown program on port ${port}` : `${holder.name} (process ${holder.pid}) on port ${port}`;
      return [{ who, evidence: { source, value: line } }];
    }),
  );
}

const hostNetwork = "/proc/1/ns/net";

const namespace: Check = {
  id: "NET-10",
  level: "fail",
  title: "aerial is in the host's network",
  source: "network_namespaces(7), namespaces(7)",
  reads: [ownNetwork, hostNetwork],
  judge(facts) {
    if (facts.relay === undefined && facts.cluster === undefined)
      return "neither a relay nor a cluster is configured, so any network will do";
    const [own, host] = [facts.link(ownNetwork), facts.link(hostNetwork)];
    const evidence = [evidenceOf(ownNetwork, own), evidenceOf(hostNetwork, host)];
    // In a PID namespace of its own, process 1 is aerial's own too.
    const { processes } = facts;
    if (processes.state !== "read") return [unknown(`Which network is the host's cannot be told: ${whyNot(processes)}.`, evidence)];
    const unreadable = [own, host].find((link) => link.state !== "read");
    if (unreadable !== undefined) {
      return [unknown(`Whether aerial is in the host's network cannot be told: ${whyNot(unreadable)}.`, evidence)];
    }
    if (valueOf(own) === valueOf(host)) return [pass("aerial is in the host's network.", evidence)];
    return [
      fail({
        text: "aerial is in a network of its own: it neither hears what devices send, nor all that the kernel says of them.",
        evidence,
        remedy: { text: "Set `hostNetwork: true` in aerial's DaemonSet, with `dnsPolicy: ClusterFirstWithHostNet`." },
      }),
    ];
  },
};

export const networkChecks: readonly Check[] = [reversePath, secondRelay, taken, namespace];
