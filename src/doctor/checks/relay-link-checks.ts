/** Whether each link of the relay can carry what it is for. */
import type { Check, Facts, Outcome } from "../../core/check.ts";
import type { RelayLinkStatus } from "../../core/relay.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown } from "../judge.ts";
import { numberIn } from "../read/evidence.ts";
import { parseGroups4, parseGroups6 } from "../read/proc-net.ts";
import { hasFamily, linkLabel, noRelay, ofEachLink, type PresentLink } from "../read/relay-links.ts";
import { ipv6Parameter, ipv6ParameterPath, sysctlRemedy } from "../read/sysctl.ts";

const net = "/sys/class/net";

const exists: Check = {
  id: "NET-06",
  level: "fail",
  title: "The relay's interfaces exist",
  source: "Linux Documentation/ABI/testing/sysfs-class-net; Talos VLANConfig",
  reads: [`${net}/*`],
  judge(facts) {
    const { relay } = facts;
    if (relay === undefined) return noRelay;
    const names = new Set(facts.paths(`${net}/*`).map((path) => path.slice(net.length + 1)));
    return relay.links.map((link) => judgeExists(link, names));
  },
};

function judgeExists(link: RelayLinkStatus, names: ReadonlySet<string>): Outcome {
  const { name, state } = link;
  const evidence = [{ source: net, value: [...names].toSorted().join(", ") }];
  if (state !== "absent") return pass(`The interface of ${linkLabel(link)} is there.`, [], { subject: name });
  const [, parent, id] = /^(.+)\.(\d{1,4})$/.exec(name) ?? [];
  const number = Number(id);
  const isVlan = parent !== undefined && names.has(parent) && number >= 1 && number <= 4094;
  return fail({
    subject: name,
    text: `The relay is to work on ${name}, but this machine has no such interface.`,
    evidence,
    remedy: isVlan
      ? {
          text: `Make the VLAN interface ${name} and give it an address (on Talos a DHCPv4Config of its own for ${name}), or correct the name in the relay's configuration.`,
          talos: [{ change: "vlan", name, id: number, parent }],
          linux: [`ip link add link ${parent} name ${name} type vlan id ${number}`, `ip link set ${name} up`],
        }
      : { text: "Correct the name in the relay's configuration, or make the interface." },
  });
}

const up: Check = {
  id: "NET-11",
  level: "fail",
  title: "The relay's links are up",
  source: "Linux Documentation/networking/operstates.rst",
  reads: [`${net}/*/operstate`],
  judge: (facts) =>
    ofEachLink(facts, (link) => {
      const path = `${net}/${link.interface}/operstate`;
      const about = { subject: link.name };
      const evidence = [evidenceOf(path, facts.file(path))];
      if (link.state !== "down") return pass(`${linkLabel(link)} is up.`, evidence, about);
      return fail({
        ...about,
        text: `Nothing is relayed to or from ${linkLabel(link)}: ${link.why ?? "the link is down"}.`,
        evidence,
        remedy: {
          text: "Check the cable and the switch, and that the interface has an address; a VLAN must be let through on the switch's port.",
          linux: [`ip link set ${link.interface} up`, `ip address show ${link.interface}`],
        },
      });
    }),
};

const ipv6: Check = {
  id: "NET-05",
  level: "fail",
  title: "The relay's links have IPv6",
  source: "Linux Documentation/networking/ip-sysctl.rst, disable_ipv6; Matter needs IPv6",
  reads: ["/proc/sys/net/ipv6/conf/*/disable_ipv6"],
  judge: (facts) =>
    ofEachLink(facts, (link) => {
      const path = ipv6ParameterPath(link.interface, "disable_ipv6");
      const about = { subject: link.name };
      const disabled = ipv6Parameter(facts, link.interface, "disable_ipv6");
      const evidence = [evidenceOf(path, disabled)];
      if (disabled.state === "unreadable")
        return unknown(`Whether ${linkLabel(link)} has IPv6 cannot be told: ${disabled.why}.`, evidence, about);
      if (disabled.state === "read" && disabled.value !== "1") return pass(`IPv6 is on for ${linkLabel(link)}.`, evidence, about);
      const text = `IPv6 is off on ${linkLabel(link)}: Matter and Thread cannot work there.`;
      const all = ipv6ParameterPath("all", "disable_ipv6");
      const remedy =
        disabled.state === "read"
          ? sysctlRemedy("Switch IPv6 on.", { [valueOf(facts.file(all)) === "1" ? all : path]: "0" })
          : { text: "Take ipv6.disable=1 off the kernel's command line and start the machine again." };
      return fail({ ...about, text, evidence, remedy });
    }),
};

/** IFF_MULTICAST, include/uapi/linux/if.h. */
const multicastFlag = 0x1000;

const multicast: Check = {
  id: "NET-08",
  level: "warning",
  title: "The relay's links take multicast",
  source: "netdevice(7), IFF_MULTICAST; Linux Documentation/ABI/testing/sysfs-class-net, flags",
  reads: [`${net}/*/flags`],
  judge: (facts) =>
    ofEachLink(facts, (link) => {
      const path = `${net}/${link.interface}/flags`;
      const about = { subject: link.name };
      const evidence = [evidenceOf(path, facts.file(path))];
      const flags = numberIn(facts.file(path));
      if (flags === undefined)
        return unknown(`Whether ${linkLabel(link)} takes multicast cannot be told: ${path} says no number.`, evidence, about);
      if ((flags & multicastFlag) !== 0) return pass(`${linkLabel(link)} takes multicast.`, evidence, about);
      return fail({
        ...about,
        text: `Multicast is off on ${linkLabel(link)}, so devices are not found there.`,
        evidence,
        remedy: {
          text: "Switch multicast on for this interface (on Talos: `multicast: true` in its LinkConfig).",
          linux: [`ip link set ${link.interface} multicast on`],
        },
      });
    }),
};

/** RFC 8200 §5: below this there is no IPv6 on a link. */
const leastMtu = 1280;

const mtu: Check = {
  id: "NET-03",
  level: "warning",
  title: "The relay's links carry whole packets",
  source: "RFC 8200 §5; Linux Documentation/ABI/testing/sysfs-class-net, mtu",
  reads: [`${net}/*/mtu`],
  judge: (facts) =>
    ofEachLink(facts, (link) => {
      const path = `${net}/${link.interface}/mtu`;
      const about = { subject: link.name };
      const evidence = [evidenceOf(path, facts.file(path))];
      const size = numberIn(facts.file(path));
      if (size === undefined)
        return unknown(`How long packets on ${linkLabel(link)} may be cannot be told: ${path} says no number.`, evidence, about);
      if (size >= leastMtu) return pass(`Packets on ${linkLabel(link)} may be ${size} bytes long.`, evidence, about);
      return fail({
        ...about,
        text: `Packets on ${linkLabel(link)} may be only ${size} bytes long, which is too little for IPv6.`,
        evidence,
        remedy: {
          text: "Set the interface's MTU to 1500, or to what its network has (on Talos: `mtu` in its LinkConfig or VLANConfig).",
          linux: [`ip link set ${link.interface} mtu 1500`],
        },
      });
    }),
};

const groups4 = "/proc/net/igmp";
const groups6 = "/proc/net/igmp6";

/** The groups by which the relay hears: protocol, family, as it is called, as the kernel writes it. */
const memberships = [
  { protocol: "mdns", family: 4, group: "224.0.0.251", written: "FB0000E0" },
  { protocol: "mdns", family: 6, group: "ff02::fb", written: "ff0200000000000000000000000000fb" },
  { protocol: "ssdp", family: 4, group: "239.255.255.250", written: "FAFFFFEF" },
] as const;

const member: Check = {
  id: "NET-09",
  level: "warning",
  title: "The relay is a member of its groups",
  source: "proc_pid_net(5); RFC 6762 §3; UPnP Device Architecture 2.0 §1.1",
  reads: [groups4, groups6],
  judge: (facts) => ofEachLink(facts, (link) => judgeMember(facts, link)),
};

function judgeMember(facts: Facts, link: PresentLink): Outcome {
  const about = { subject: link.name };
  if (link.state !== "up" || link.why !== undefined) {
    return unknown(`What the relay hears on ${linkLabel(link)} can be told only once that link is up in all its protocols.`, [], about);
  }
  const tables = { 4: facts.file(groups4), 6: facts.file(groups6) };
  const wanted = memberships.filter(
    ({ protocol, family }) => facts.relay?.protocols.includes(protocol) === true && hasFamily(link, family),
  );
  const blind = wanted.find(({ family }) => tables[family].state !== "read")?.family;
  if (blind !== undefined) {
    return unknown(
      `Which groups ${linkLabel(link)} has joined cannot be told: ${blind === 4 ? groups4 : groups6} cannot be read.`,
      [],
      about,
    );
  }
  const joined = {
    4: parseGroups4(valueOf(tables[4]) ?? "").get(link.interface),
    6: parseGroups6(valueOf(tables[6]) ?? "").get(link.interface),
  };
  const missing = wanted.filter(({ family, written }) => joined[family]?.has(written) !== true);
  if (missing.length === 0) return pass(`The relay hears what is sent to its groups on ${linkLabel(link)}.`, [], about);
  return fail({
    ...about,
    text: `The relay does not hear ${missing.map(({ group }) => group).join(", ")} on ${linkLabel(link)}, because the kernel has no membership of it there.`,
    evidence: missing.map(({ family, group }) => ({ source: family === 4 ? groups4 : groups6, value: `no ${group} on ${link.interface}` })),
    remedy: { text: "Restart aerial. If it comes back, see whether aerial runs in the host's network (NET-10)." },
  });
}

export const relayLinkChecks: readonly Check[] = [mtu, ipv6, exists, multicast, member, up];
