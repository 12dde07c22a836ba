/** Whether this node learns the way into Thread meshes: IPv6, router advertisements and the routes in them. */
import type { Check, Facts, FindingEvidence, Outcome } from "../../core/check.ts";
import { mapReading, valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown, whyNot } from "../judge.ts";
import { type InfraInterface, infraInterfaces, infraReads, parseRoutes6 } from "../read/infra-interfaces.ts";
import { everyIpv6Parameter, ipv6Parameter, ipv6ParameterPath, sysctlRemedy } from "../read/sysctl.ts";
import { nobodySpeaks, threadUserReads, threadUsers } from "../read/thread-users.ts";

const common = [...infraReads, ...threadUserReads];
const nobody = "border router, Matter server or Thread radio";

/** Judges each interface over which this node meets border routers, where anything here has to do with Thread. */
function onInfra(facts: Facts, judge: (infra: InfraInterface) => readonly Outcome[]): readonly Outcome[] | string {
  const users = threadUsers(facts);
  if (users.borderRouter.length + users.matter.length + users.radio.length === 0) return nobodySpeaks(facts, nobody);
  const interfaces = infraInterfaces(facts, users);
  return interfaces.length === 0
    ? "no Ethernet or Wi-Fi interface has a default route, and no border router is heard"
    : interfaces.flatMap(judge);
}

/** Programs that take router advertisements themselves and switch the kernel's own handling off. */
const networkManagers: ReadonlySet<string> = new Set(["NetworkManager", "systemd-network", "systemd-networkd", "connmand", "dhcpcd"]);

/** The program that handles advertisements in the kernel's stead, where the kernel was told not to (`accept_ra` is 0). */
function managerOf(facts: Facts, name: string): FindingEvidence | undefined {
  if (valueOf(ipv6Parameter(facts, name, "accept_ra")) !== "0") return undefined;
  const manager = (valueOf(facts.processes) ?? []).find((process) => networkManagers.has(process.name));
  return manager === undefined ? undefined : { source: `/proc/${manager.pid}/comm`, value: manager.name };
}

const ipv6Off: Check = {
  id: "THR-01",
  level: "fail",
  title: "IPv6 is on",
  // `all` says nothing of any interface when it is read.
  source: "kernel: Documentation/networking/ip-sysctl.rst, disable_ipv6; Matter and Thread run on IPv6 only",
  reads: [...common, everyIpv6Parameter("disable_ipv6"), "/proc/cmdline"],
  judge(facts) {
    return onInfra(facts, ({ name, why }) => {
      const path = ipv6ParameterPath(name, "disable_ipv6");
      const reading = facts.file(path);
      const evidence = [evidenceOf(path, reading), why];
      if (reading.state === "unreadable")
        return [unknown(`Whether IPv6 is on cannot be told: ${reading.why}.`, evidence, { subject: name })];
      if (reading.state === "absent") {
        const text = `IPv6 does not exist on ${name}: Matter and Thread cannot work.`;
        const remedy = {
          text: "Take ipv6.disable=1 out of the kernel's arguments and reboot; on Talos that is an installation with other extraKernelArgs.",
        };
        return [fail({ subject: name, text, evidence: [...evidence, evidenceOf("/proc/cmdline", facts.file("/proc/cmdline"))], remedy })];
      }
      if (reading.value === "0") return [pass(`IPv6 is on for ${name}.`, evidence, { subject: name })];
      const text = `IPv6 is switched off on ${name}: Matter and Thread cannot work.`;
      return [fail({ subject: name, text, evidence, remedy: sysctlRemedy(`Switch IPv6 on for ${name}.`, { [path]: "0" }) })];
    });
  },
};

const advertisements: Check = {
  id: "THR-04",
  level: "fail",
  title: "Router advertisements are accepted",
  source: "kernel: Documentation/networking/ip-sysctl.rst, accept_ra; siderolabs/talos#5632",
  reads: [...common, everyIpv6Parameter("accept_ra"), everyIpv6Parameter("forwarding")],
  judge(facts) {
    return onInfra(facts, ({ name, why }) => {
      const path = ipv6ParameterPath(name, "accept_ra");
      const accept = facts.file(path);
      const forwarding = ipv6Parameter(facts, name, "forwarding");
      const evidence = [evidenceOf(path, accept), evidenceOf(ipv6ParameterPath(name, "forwarding"), forwarding), why];
      if (accept.state === "absent") return [];
      if (accept.state === "unreadable" || forwarding.state !== "read") {
        const reason = accept.state === "unreadable" ? accept.why : forwarding.state === "read" ? "" : whyNot(forwarding);
        return [unknown(`Whether ${name} accepts router advertisements cannot be told: ${reason}.`, evidence, { subject: name })];
      }
      const manager = managerOf(facts, name);
      if (manager !== undefined) {
        const text = `The kernel leaves router advertisements on ${name} to ${manager.value}; whether that takes Thread routes cannot be told from here.`;
        return [unknown(text, [...evidence, manager], { subject: name })];
      }
      if (accept.value === "2" || (accept.value === "1" && forwarding.value === "0"))
        return [pass(`${name} accepts router advertisements.`, evidence, { subject: name })];
      const because = accept.value === "0" ? "it is told to" : "it forwards packets, and accept_ra is not 2";
      return [
        fail({
          subject: name,
          text: `${name} ignores router advertisements, because ${because}: routes into Thread meshes are never learned.`,
          evidence,
          remedy: sysctlRemedy(`Have ${name} accept router advertisements although it forwards packets.`, { [path]: "2" }),
        }),
      ];
    });
  },
};

/** What a parameter of route information must be. */
interface RouteInformationRule extends Pick<Check, "id" | "level" | "title"> {
  readonly parameter: string;
  readonly fits: (value: number) => boolean;
  readonly good: string;
  readonly bad: string;
  readonly wanted: string;
}

/** The three parameters between a route information option (RFC 4191) and the routing table; all are per interface, `all` is not read. */
function routeInformation({ id, level, title, parameter, fits, good, bad, wanted }: RouteInformationRule): Check {
  return {
    id,
    level,
    title,
    source: `kernel: Documentation/networking/ip-sysctl.rst, ${parameter}; net/ipv6/ndisc.c; RFC 4191`,
    reads: [...common, everyIpv6Parameter(parameter), everyIpv6Parameter("accept_ra")],
    judge(facts) {
      return onInfra(facts, ({ name, why }) => {
        const path = ipv6ParameterPath(name, parameter);
        const reading = facts.file(path);
        const evidence = [evidenceOf(path, reading), why];
        const manager = managerOf(facts, name);
        if (manager !== undefined)
          return [
            unknown(`${manager.value} takes router advertisements on ${name}, so this parameter decides nothing.`, [...evidence, manager], {
              subject: name,
            }),
          ];
        // THR-01 tells of that.
        if (reading.state === "absent" && ipv6Parameter(facts, name, "accept_ra").state === "absent") return [];
        if (reading.state === "absent") {
          const text = "The kernel cannot take routes out of router advertisements: it was built without CONFIG_IPV6_ROUTE_INFO.";
          return [fail({ subject: name, text, evidence, remedy: { text: "Use a newer kernel: every Talos of today has it." } })];
        }
        const value = reading.state === "read" && /^-?\d{1,10}$/.test(reading.value.trim()) ? Number(reading.value) : undefined;
        if (value === undefined)
          return [
            unknown(`${path} cannot be judged: ${reading.state === "unreadable" ? reading.why : "it holds no number"}.`, evidence, {
              subject: name,
            }),
          ];
        if (fits(value)) return [pass(`${good} on ${name}.`, evidence, { subject: name })];
        return [
          fail({
            subject: name,
            text: `${bad} on ${name}.`,
            evidence,
            remedy: sysctlRemedy(`Set ${parameter} of ${name}, and of interfaces yet to come, to ${wanted}.`, {
              [path]: wanted,
              [ipv6ParameterPath("default", parameter)]: wanted,
            }),
          }),
        ];
      });
    },
  };
}

const routeInformationChecks = [
  routeInformation({
    id: "THR-05",
    level: "fail",
    title: "Thread routes are accepted",
    parameter: "accept_ra_rt_info_max_plen",
    fits: (value) => value >= 64,
    good: "Routes of up to 64 bits, as Thread border routers announce them, are taken",
    bad: "The routes of 64 bits that Thread border routers announce are dropped: Thread devices cannot be reached",
    wanted: "64",
  }),
  routeInformation({
    id: "THR-06",
    level: "warning",
    title: "Thread routes are not filtered out",
    parameter: "accept_ra_rt_info_min_plen",
    fits: (value) => value <= 64,
    good: "Routes of 64 bits are not too short to be taken",
    bad: "Routes of 64 bits, as Thread border routers announce them, count as too short and are dropped",
    wanted: "0",
  }),
  routeInformation({
    id: "THR-07",
    level: "warning",
    title: "Route information is read at all",
    parameter: "accept_ra_rtr_pref",
    fits: (value) => value !== 0,
    good: "Route information in router advertisements is read",
    bad: "Route information in router advertisements is not even looked at",
    wanted: "1",
  }),
];

/** RTF_ROUTEINFO, include/uapi/linux/ipv6_route.h. */
const routeInfoFlag = 0x0080_0000;

const learnedRoutes: Check = {
  id: "THR-08",
  level: "info",
  title: "A Thread route has been learned",
  source: "kernel: include/uapi/linux/ipv6_route.h, RTF_ROUTEINFO; RFC 4191",
  reads: common,
  judge(facts) {
    if (facts.relay === undefined) return "no relay runs here, so aerial hears no border routers";
    const seen = facts.services.filter(({ service }) => service === "_meshcop._udp");
    if (seen.length === 0) return "no Thread border router is heard";
    const heard = seen.slice(0, 3).map(({ instance, link }) => ({ source: "mDNS _meshcop._udp", value: `"${instance}" on ${link}` }));
    return onInfra(facts, ({ name, why }) => {
      const table = mapReading(facts.file("/proc/net/ipv6_route"), parseRoutes6);
      if (table.state !== "read") return [unknown(`The routes cannot be read: ${whyNot(table)}.`, [why], { subject: name })];
      const learned = table.value.filter((route) => route.interface === name && Math.floor(route.flags / routeInfoFlag) % 2 === 1);
      const rows = learned.slice(0, 5).map(({ line }) => ({ source: "/proc/net/ipv6_route", value: line }));
      if (learned.length > 0) return [pass(`${name} has learned ${learned.length} routes from border routers.`, rows, { subject: name })];
      return [
        fail({
          subject: name,
          text: `A Thread border router is heard, but ${name} has learned no route from it yet.`,
          evidence: [...heard, why],
          remedy: {
            text: "If THR-04 and THR-05 are well, wait for its next advertisement: that can take some minutes. A border router with no Thread devices announces none.",
          },
        }),
      ];
    });
  },
};

/** IFA_F_DADFAILED and IFA_F_TENTATIVE, include/uapi/linux/if_addr.h. */
const dadFailed = 0x08;
const tentative = 0x40;

const linkLocal: Check = {
  id: "THR-09",
  level: "fail",
  title: "The interface has a link-local address",
  source: "RFC 4291 §2.8: every interface has one; kernel: /proc/net/if_inet6, include/uapi/linux/if_addr.h",
  reads: [...common, "/proc/net/if_inet6", "/sys/class/net/*/operstate", everyIpv6Parameter("disable_ipv6")],
  judge(facts) {
    return onInfra(facts, ({ name, why }) => {
      const table = facts.file("/proc/net/if_inet6");
      const subject = { subject: name };
      const state = facts.file(`/sys/class/net/${name}/operstate`);
      const operation = evidenceOf(`/sys/class/net/${name}/operstate`, state);
      if (valueOf(ipv6Parameter(facts, name, "disable_ipv6")) !== "0") return [];
      if (valueOf(state) === "down") return [unknown(`${name} is down, so it has no addresses.`, [operation, why], subject)];
      if (table.state !== "read") return [unknown(`Addresses cannot be read: ${whyNot(table)}.`, [why], subject)];
      const rows = table.value.split("\n").map((line) => line.trim().split(/\s+/));
      const own = rows.filter(([address = "", , , , , of]) => of === name && /^fe[89ab]/.test(address));
      const evidence = [...own.map((row) => ({ source: "/proc/net/if_inet6", value: row.join(" ") })), operation, why];
      const flags = own.map(([, , , , flag = "0"]) => Number.parseInt(flag, 16));
      if (flags.some((flag) => (flag & (dadFailed | tentative)) === 0))
        return [pass(`${name} has a link-local address.`, evidence, subject)];
      if (flags.some((flag) => (flag & dadFailed) === 0))
        return [
          unknown(`The link-local address of ${name} is being checked for duplicates; look again in a few seconds.`, evidence, subject),
        ];
      const text =
        own.length === 0
          ? `${name} has no link-local address: Matter and Thread cannot work over it.`
          : `Another machine has the link-local address of ${name}.`;
      const remedy =
        own.length === 0
          ? "Check the cable and the VLAN, then set the interface down and up again."
          : "Find the machine with the same MAC address; clones of virtual machines often have it.";
      return [fail({ subject: name, text, evidence, remedy: { text: remedy } })];
    });
  },
};

export const threadRouteChecks: readonly Check[] = [ipv6Off, advertisements, ...routeInformationChecks, learnedRoutes, linkLocal];
