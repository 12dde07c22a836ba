/** Whether an OpenThread border router on this node has what it needs: forwarding, its interface, the kernel's help. */
import type { Check, Facts, FindingEvidence, Outcome, Reading } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown, whyNot } from "../judge.ts";
import { infraInterfaces, infraReads } from "../read/infra-interfaces.ts";
import { listeningPorts } from "../read/sockets.ts";
import { everyIpv6Parameter, ipv6ParameterPath, sysctlRemedy } from "../read/sysctl.ts";
import { nobodySpeaks, type ThreadUsers, threadUserReads, threadUsers } from "../read/thread-users.ts";

const noRouter = "OpenThread border router";

/** Judges where a border router runs here. */
function onRouter(facts: Facts, judge: (users: ThreadUsers) => readonly Outcome[] | string): readonly Outcome[] | string {
  const users = threadUsers(facts);
  return users.borderRouter.length === 0 ? nobodySpeaks(facts, noRouter) : judge(users);
}

/** Judges where a border router runs here, or a radio for one is plugged in. */
function forRouter(facts: Facts, judge: (users: ThreadUsers) => readonly Outcome[] | string): readonly Outcome[] | string {
  const users = threadUsers(facts);
  return users.borderRouter.length + users.radio.length === 0 ? nobodySpeaks(facts, `${noRouter} or Thread radio`) : judge(users);
}

const allForwarding = "/proc/sys/net/ipv6/conf/all/forwarding";

const forwarding: Check = {
  id: "THR-02",
  level: "fail",
  title: "The border router can forward",
  source: "openthread/ot-br-posix script/_sysctl; kernel: Documentation/networking/ip-sysctl.rst, conf/all/forwarding and force_forwarding",
  reads: [...threadUserReads, ...infraReads, ...["forwarding", "force_forwarding", "accept_ra"].map(everyIpv6Parameter)],
  judge(facts) {
    return onRouter(facts, (users) => {
      const reading = facts.file(allForwarding);
      const evidence = [evidenceOf(allForwarding, reading), ...users.borderRouter.slice(0, 2)];
      if (reading.state !== "read") return [unknown(`Whether this node forwards IPv6 cannot be told: ${whyNot(reading)}.`, evidence)];
      if (reading.value === "1") return [pass("This node forwards IPv6 between its interfaces.", evidence)];
      const infra = infraInterfaces(facts, users).map(({ name }) => name);
      const forced = [threadInterface(users), ...infra];
      if (forced.length > 1 && forced.every((name) => valueOf(facts.file(ipv6ParameterPath(name, "force_forwarding"))) === "1"))
        return [pass(`This node forwards IPv6 between ${forced.join(" and ")}.`, evidence)];
      // At 1 they take advertisements only as long as nothing is forwarded.
      const hosts = infra.filter((name) => valueOf(facts.file(ipv6ParameterPath(name, "accept_ra"))) === "1");
      return [
        fail({
          text: "This node does not forward IPv6: the border router cannot pass anything between the Thread mesh and the network.",
          evidence,
          remedy: sysctlRemedy("Switch IPv6 forwarding on, and have the network's router advertisements accepted nevertheless.", {
            [allForwarding]: "1",
            ...Object.fromEntries(hosts.map((name) => [ipv6ParameterPath(name, "accept_ra"), "2"])),
          }),
        }),
      ];
    });
  },
};

const needlessForwarding: Check = {
  id: "THR-03",
  level: "info",
  title: "A Matter server's node does not forward",
  source: "kernel: net/ipv6/route.c, RT6_LOOKUP_F_REACHABLE; matter-js/matterjs-server docs",
  reads: [...threadUserReads, allForwarding],
  judge(facts) {
    const users = threadUsers(facts);
    if (users.matter.length === 0) return nobodySpeaks(facts, "Matter server");
    if (users.borderRouter.length > 0) return "a border router runs here, and needs forwarding";
    const reading = facts.file(allForwarding);
    const evidence = [evidenceOf(allForwarding, reading), ...users.matter.slice(0, 2)];
    if (reading.state !== "read") return [unknown(`Whether this node forwards IPv6 cannot be told: ${whyNot(reading)}.`, evidence)];
    if (reading.value === "0") return [pass("The kernel notices at once when a border router is gone.", evidence)];
    // No patch: the network of a cluster may need it, and would break.
    const inCluster = facts.cluster !== undefined;
    return [
      fail({
        text: "IPv6 forwarding is on, so the kernel does not check whether a border router is still there: it may be half an hour until another one's route is taken.",
        evidence,
        remedy: {
          text: "Switch forwarding off if nothing on this node needs it; a cluster with IPv6 does, and then this is how it is.",
          ...(!inCluster && { linux: ["sysctl -w net.ipv6.conf.all.forwarding=0"] }),
        },
      }),
    ];
  },
};

/** Documentation/admin-guide/devices.txt. */
const tun = { path: "/dev/net/tun", major: 10, minor: 200 } as const;

const tunDevice: Check = {
  id: "THR-10",
  level: "fail",
  title: "The border router can make its interface",
  source: "kernel: Documentation/networking/tuntap.rst; openthread/ot-br-posix",
  reads: threadUserReads,
  judge(facts) {
    return forRouter(facts, () => {
      const node = facts.deviceNode(tun.path);
      if (node.state === "unreadable") return [unknown(`Whether there is ${tun.path} cannot be told: ${node.why}.`)];
      if (node.state === "absent") {
        const remedy = { text: "Load the kernel module tun; Talos has it built in.", linux: ["modprobe tun"] };
        return [
          fail({
            text: `There is no ${tun.path}: a border router cannot make its interface.`,
            evidence: [{ source: tun.path, value: "not there" }],
            remedy,
          }),
        ];
      }
      const { type, major, minor } = node.value;
      const evidence = [{ source: tun.path, value: major === undefined ? type : `${type} ${major}:${minor}` }];
      if (type === "character" && major === tun.major && minor === tun.minor) return [pass(`${tun.path} is what it should be.`, evidence)];
      return [
        fail({
          text: `${tun.path} is no TUN device${type === "directory" ? ", but a directory that a pod has made" : ""}: a border router cannot make its interface.`,
          evidence,
          remedy: {
            text: "Delete what has made it, remove it, and mount it into pods with type: CharDevice.",
            linux: ["rmdir /dev/net/tun && modprobe -r tun && modprobe tun"],
          },
        }),
      ];
    });
  },
};

/** The border router's own name for its interface, unless told otherwise. */
function threadInterface({ borderRouterPods }: ThreadUsers): string {
  return (
    borderRouterPods.map(({ environment }) => environment["OT_THREAD_IF"]).find((name) => name !== undefined && name !== "") ?? "wpan0"
  );
}

/** IFF_UP, include/uapi/linux/if.h. */
const up = 0x1;

const threadInterfaceUp: Check = {
  id: "THR-11",
  level: "fail",
  title: "The Thread interface is up",
  source: "openthread/ot-br-posix; kernel: Documentation/ABI/testing/sysfs-class-net, flags",
  reads: [...threadUserReads, "/sys/class/net/*/flags", "/sys/class/net/*/type"],
  judge(facts) {
    return onRouter(facts, (users) => {
      const name = threadInterface(users);
      const path = `/sys/class/net/${name}/flags`;
      const flags = facts.file(path);
      const evidence = [evidenceOf(path, flags), ...users.borderRouter.slice(0, 2)];
      if (flags.state === "unreadable")
        return [unknown(`Whether ${name} is up cannot be told: ${flags.why}.`, evidence, { subject: name })];
      const remedy = {
        text: "Look into the border router's log: its radio does not answer, or runs firmware that is no matching RCP. Another program may hold the port: see TTY-02.",
      };
      if (flags.state === "absent")
        return [
          fail({
            subject: name,
            text: `A border router runs here, but there is no ${name}: it does not reach its radio.`,
            evidence,
            remedy,
          }),
        ];
      if ((Number(flags.value) & up) !== 0) return [pass(`${name} is up.`, evidence, { subject: name })];
      return [fail({ subject: name, text: `${name} is down: the border router is not part of a Thread network.`, evidence, remedy })];
    });
  },
};

/** Any of each is enough. iptables works over nftables, or over tables of its own. */
const wantedOptions: readonly (readonly string[])[] = [
  ["CONFIG_IPV6_MROUTE"],
  ["CONFIG_IPV6_ROUTE_INFO"],
  ["CONFIG_IPV6_ROUTER_PREF"],
  ["CONFIG_IP_SET"],
  ["CONFIG_NETFILTER_XT_SET"],
  ["CONFIG_NFT_COMPAT", "CONFIG_IP6_NF_FILTER"],
];

const kernelOptions: Check = {
  id: "THR-12",
  level: "fail",
  title: "The kernel has what a border router needs",
  source: "openthread/ot-br-posix script/_firewall and src/backbone_router; siderolabs/pkgs kernel/build/config-*",
  reads: threadUserReads,
  judge(facts) {
    return forRouter(facts, () => {
      const options = wantedOptions.map((names) => ({ names, set: anyOption(facts, names) }));
      const dark = options.find(({ set }) => set.state === "unreadable");
      if (dark !== undefined && dark.set.state === "unreadable") return [unknown(`What the kernel has cannot be told: ${dark.set.why}.`)];
      const evidence = options.map(({ names, set }) => evidenceOf(names.join(" or "), set));
      const missing = options.filter(({ set }) => set.state === "absent").map(({ names }) => names.join(" or "));
      if (missing.length === 0) return [pass("The kernel has all that a border router needs.", evidence)];
      return [
        fail({
          text: `The kernel was built without ${missing.join(", ")}: a border router cannot work fully.`,
          evidence,
          remedy: { text: "Use another kernel: that of Talos 1.12 and later has all of it." },
        }),
      ];
    });
  },
};

function anyOption(facts: Facts, names: readonly string[]): Reading<string> {
  const readings = names.map((name) => facts.kernelOption(name));
  return readings.find(({ state }) => state === "read") ?? readings.find(({ state }) => state === "unreadable") ?? { state: "absent" };
}

/** The old build of OpenThread's border router, on Ubuntu 18.04, whose iptables knows nothing of nftables. */
const legacyImage = /(?:^|\/)openthread\/otbr(?:[:@]|$)/;

const legacyTables: Check = {
  id: "THR-13",
  level: "warning",
  title: "The border router's iptables fits the kernel",
  source: "kernel: NETFILTER_XTABLES_LEGACY since 6.17; openthread/ot-br-posix etc/docker",
  reads: threadUserReads,
  judge(facts) {
    return onRouter(facts, ({ borderRouterPods }) => {
      if (borderRouterPods.length === 0) return "the border router is no pod that the API server has told of";
      const filter = facts.kernelOption("CONFIG_IP6_NF_FILTER");
      if (filter.state === "unreadable") return [unknown(`What the kernel has cannot be told: ${filter.why}.`)];
      return borderRouterPods.map(({ namespace, name, images }) => {
        const subject = { subject: `${namespace}/${name}` };
        const legacy = images.find((image) => legacyImage.test(image));
        const evidence = [evidenceOf("CONFIG_IP6_NF_FILTER", filter), { source: `pod ${namespace}/${name}`, value: images.join(", ") }];
        if (legacy === undefined || filter.state === "read")
          return pass("The border router's firewall rules can be set.", evidence, subject);
        return fail({
          ...subject,
          text: `The image ${legacy} sets its firewall rules in the old way, which this kernel no longer has ("Table does not exist").`,
          evidence,
          remedy: { text: "Use the image openthread/border-router, or another that sets its rules with iptables-nft." },
        });
      });
    });
  },
};

const nftTargets: Check = {
  id: "THR-14",
  level: "warning",
  title: "ip6tables works over nftables",
  source: "siderolabs/talos#13935, siderolabs/pkgs#1634",
  reads: threadUserReads,
  judge(facts) {
    return forRouter(facts, () => {
      const reading = facts.kernelOption("CONFIG_IP6_NF_IPTABLES");
      const evidence = [evidenceOf("CONFIG_IP6_NF_IPTABLES", reading), { source: "uname -r", value: facts.kernel }];
      if (reading.state === "unreadable") return [unknown(`What the kernel has cannot be told: ${reading.why}.`, evidence)];
      if (reading.state === "read") return [pass("ip6tables has its targets.", evidence)];
      const remedy = { text: "Use another kernel; of Talos 1.14, 1.14.0-rc.1 or later." };
      return [fail({ text: "Some firewall rules for IPv6 (CT, MARK, TPROXY) fail on this kernel.", evidence, remedy })];
    });
  },
};

const multicastRouting: Check = {
  id: "THR-15",
  level: "warning",
  title: "One border router forwards multicast",
  source: "kernel: net/ipv6/ip6mr.c, one MRT6 socket a network namespace; openthread/ot-br-posix#3467",
  reads: [...threadUserReads, "/proc/net/ip6_mr_vif"],
  judge(facts) {
    return onRouter(facts, (users) => {
      const routers = (valueOf(facts.processes) ?? []).filter(({ name }) => name === "otbr-agent");
      const several = Math.max(routers.length, users.borderRouterPods.length);
      const table = facts.file("/proc/net/ip6_mr_vif");
      const rows = (valueOf(table) ?? "")
        .split("\n")
        .slice(1)
        .filter((line) => line.trim() !== "");
      const evidence: readonly FindingEvidence[] = [
        ...routers.map(({ pid, name }) => ({ source: `/proc/${pid}/comm`, value: name })),
        ...rows.slice(0, 4).map((row) => ({ source: "/proc/net/ip6_mr_vif", value: row.trim() })),
      ];
      if (several > 1) {
        const remedy = { text: "Run one border router a node." };
        return [
          fail({
            text: `${several} border routers run on this node: only one can forward multicast, and both change the same routes.`,
            evidence,
            remedy,
          }),
        ];
      }
      if (table.state !== "read") return [unknown(`Whether multicast is forwarded cannot be told: ${whyNot(table)}.`, evidence)];
      if (rows.length > 0) return [pass("The border router forwards multicast.", evidence)];
      return [
        unknown(
          "No multicast is forwarded. That is as it should be unless this border router is the primary one, which only its own state tells.",
        ),
      ];
    });
  },
};

const infraName: Check = {
  id: "THR-20",
  level: "fail",
  title: "The border router was told an interface that exists",
  source: "openthread/ot-br-posix etc/docker, OT_INFRA_IF",
  reads: [...threadUserReads, ...infraReads],
  judge(facts) {
    return onRouter(facts, (users) => {
      if (users.borderRouterPods.length === 0) return "the border router is no pod that the API server has told of";
      const names = facts.paths("/sys/class/net/*/type").map((path) => path.split("/")[4] ?? "");
      if (names.length === 0) return [unknown("Which interfaces there are cannot be told: /sys/class/net is empty or cannot be read.")];
      const advice = infraInterfaces(facts, { ...users, borderRouterPods: [] })[0]?.name;
      return users.borderRouterPods.map((pod) => {
        const told = pod.environment["OT_INFRA_IF"];
        const name = told ?? "wlan0";
        const subject = { subject: `${pod.namespace}/${pod.name}` };
        const evidence = [
          { source: `pod ${subject.subject}`, value: told === undefined ? "OT_INFRA_IF is not set: wlan0 is used" : `OT_INFRA_IF=${told}` },
          { source: "/sys/class/net", value: names.join(" ") },
        ];
        if (names.includes(name)) return pass(`${name} exists.`, evidence, subject);
        // It may come from a Secret, a ConfigMap or a configuration of the image's own.
        if (told === undefined && !/(?:^|\/)openthread\//.test(pod.images.join(" ")))
          return unknown(
            "Which interface the border router was told cannot be seen: its pod does not say it in plain words.",
            evidence,
            subject,
          );
        const hint = advice === undefined ? "the interface of your network" : advice;
        return fail({
          ...subject,
          text: `The border router is to use ${name}, and there is no such interface here.`,
          evidence,
          remedy: { text: `Set OT_INFRA_IF=${hint} in its pod.` },
        });
      });
    });
  },
};

const restPort = 8081;

const restAddress: Check = {
  id: "THR-21",
  level: "warning",
  title: "The border router's API can be reached",
  source: "openthread/ot-br-posix etc/docker, OT_REST_LISTEN_ADDR",
  reads: threadUserReads,
  judge(facts) {
    return onRouter(facts, () => {
      const table = facts.file("/proc/net/tcp");
      if (table.state !== "read") return [unknown(`Who listens cannot be told: ${whyNot(table)}.`)];
      const sockets = listeningPorts(facts).filter(({ port }) => port === restPort);
      const evidence = sockets.map(({ source, line }) => ({ source, value: line }));
      if (sockets.length === 0) return `nothing listens on TCP port ${restPort}`;
      if (sockets.some(({ loopback }) => !loopback)) return [pass("Other machines can ask the border router.", evidence)];
      return [
        fail({
          text: "Only this node can ask the border router: Home Assistant on another machine, or in a pod with a network of its own, cannot.",
          evidence,
          remedy: {
            text: "Set OT_REST_LISTEN_ADDR to this node's address. It asks for no password: a firewall should say who may. If Home Assistant runs here with hostNetwork, leave it.",
          },
        }),
      ];
    });
  },
};

export const threadRouterChecks: readonly Check[] = [
  forwarding,
  needlessForwarding,
  tunDevice,
  threadInterfaceUp,
  kernelOptions,
  legacyTables,
  nftTargets,
  multicastRouting,
  infraName,
  restAddress,
];
