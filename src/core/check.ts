/** The doctor's words: what a check reads, what it finds, and how that is mended. */
import type { IdentifiedDevice } from "./identity.ts";
import type { Radio } from "./radio.ts";
import type { RelayStatus, SeenService } from "./relay.ts";

/** What was read; or that there is nothing; or why nobody can tell. A check must keep the three apart. */
export type Reading<Value> =
  | { readonly state: "read"; readonly value: Value }
  | { readonly state: "absent" }
  | { readonly state: "unreadable"; readonly why: string };

/** A device node that a process holds open. */
export interface HeldNode {
  /** As the holder sees it, without the kernel's ` (deleted)`. */
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  /** The node is gone: unplugged since it was opened. */
  readonly deleted: boolean;
}

/** A process of the machine, as far as `/proc` tells. */
export interface ProcessFacts {
  readonly pid: number;
  /** `/proc/PID/comm`. */
  readonly name: string;
  /** The process that started it, if that is still there. */
  readonly parentPid?: number;
  /** UID of the pod it belongs to, and id of its container, out of its cgroup. */
  readonly podUid?: string;
  readonly containerId?: string;
  /** Character devices it has open; only those below `/dev`. */
  readonly nodes: readonly HeldNode[];
  /** Inodes of the sockets it has open: what `/proc/net/udp` names. */
  readonly socketInodes: readonly number[];
  /** Its network namespace, as its link reads: `net:[4026531840]`. Absent where that may not be read. */
  readonly network?: string;
  /** Why `nodes` and `socketInodes` are not known, where they are not. */
  readonly hidden?: string;
}

/** A line of the kernel's log. */
export interface KernelMessage {
  /** Seconds since boot. */
  readonly seconds: number;
  readonly text: string;
}

/** An entry of `/dev`. */
export interface DeviceNodeFacts {
  readonly path: string;
  readonly type: "character" | "block" | "directory" | "link" | "other";
  /** Of character and block devices. */
  readonly major?: number;
  readonly minor?: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of links: where it leads. */
  readonly target?: string;
}

/** What BlueZ says on the system bus. */
export interface BluezFacts {
  readonly adapters: readonly { readonly name: string; readonly address?: string; readonly powered?: boolean }[];
}

/** A pod of this node, as far as the checks ask. */
export interface PodFacts {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly phase: string;
  readonly reason?: string;
  readonly images: readonly string[];
  /** Of all containers: only the variables by which programs are told of radios and interfaces, if given as plain values. */
  readonly environment: Readonly<Record<string, string>>;
  /** Paths below `/dev` that it mounts from the host. */
  readonly hostDevices: readonly string[];
  readonly privileged: boolean;
  /** The user id it runs as, where the pod says so, and the same of all containers. */
  readonly user?: number;
  /** Group ids that all of its containers have: `runAsGroup`, `fsGroup`, `supplementalGroups`. */
  readonly groups?: readonly number[];
  readonly hostUsers?: boolean;
  readonly runtimeClass?: string;
  /** Extended resources its containers ask for. */
  readonly resources: readonly string[];
}

/** Something aerial has to be allowed, and whether it is. */
export interface AccessFact {
  /** For people: `patch nodes`. */
  readonly what: string;
  readonly allowed: boolean;
}

/** What the API server says of this node. */
export interface ClusterFacts {
  /** What comes before the slash in the labels that are aerial's own. */
  readonly labelPrefix: string;
  /** How long labels outlive an unplugged radio, in milliseconds. */
  readonly labelGraceMs: number;
  readonly pods: Reading<readonly PodFacts[]>;
  readonly nodeLabels: Reading<Readonly<Record<string, string>>>;
  /** Labels of the namespace aerial runs in; absent outside a pod. */
  readonly namespaceLabels: Reading<Readonly<Record<string, string>>>;
  readonly access: Reading<readonly AccessFact[]>;
  /** `status.nodeInfo.osImage`: `Talos (v1.13.9)`. */
  readonly osImage: Reading<string>;
  /** `status.capacity`: what pods may ask of this node, by its resources' names. */
  readonly capacity: Reading<Readonly<Record<string, string>>>;
}

/** The machine at one moment: everything a check may judge by. */
export interface Facts {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly node: string;
  /** As uname(2) says it: `x86_64`. */
  readonly machine: string;
  readonly kernel: string;
  /** Out of os-release; `talos` as `id` is what the remedies turn on. */
  readonly os: { readonly id: string; readonly version?: string; readonly name: string };
  /** A file that a check has asked for in `reads`, without the line feed at its end. */
  file(path: string): Reading<string>;
  /** Paths that exist and match one of the globs of `reads`, sorted; `*` is within one segment. Files and directories. */
  paths(glob: string): readonly string[];
  /** Why `paths` of this glob may be missing some, where it may. */
  unlisted(glob: string): string | undefined;
  /** Where a symbolic link of `reads` leads: the last segment of its target, such as a driver's name. */
  link(path: string): Reading<string>;
  /** The entry of `/dev`, such as `/dev/ttyUSB0`. */
  deviceNode(path: string): Reading<DeviceNodeFacts>;
  /** Of `/dev` itself and of the directories in it that radios use; empty also when `/dev` could not be listed. */
  readonly deviceNodes: readonly DeviceNodeFacts[];
  /** The module that takes a modalias, out of `modules.alias`; absent: none does. */
  moduleFor(modalias: string): Reading<string>;
  /** Whether that module is part of the kernel itself, so that there is nothing to load. */
  isBuiltIn(module: string): boolean;
  /** `CONFIG_BT` → `y`, `m` or a value; absent: not set. */
  kernelOption(name: string): Reading<string>;
  readonly kernelLog: Reading<readonly KernelMessage[]>;
  readonly processes: Reading<readonly ProcessFacts[]>;
  readonly bluez: Reading<BluezFacts>;
  readonly radios: readonly Radio[];
  /** Present devices that are no known radio. */
  readonly others: readonly IdentifiedDevice[];
  /** Absent where no relay is configured. */
  readonly relay?: RelayStatus;
  readonly services: readonly SeenService[];
  /** Codes of the conditions that hold. */
  readonly conditions: ReadonlySet<string>;
  /** Extended resources that aerial offers to the kubelet: `radio.mi.house/zigbee`. Absent where it is not to offer any. */
  readonly resources?: readonly string[];
  /** Absent where no cluster is configured. */
  readonly cluster?: ClusterFacts;
}

/** `fail`: something does not work. `warning`: it will, or may. `info`: good to know. */
export type FindingLevel = "fail" | "warning" | "info";

/** A piece of what a finding rests on. */
export interface FindingEvidence {
  /** Where it was read: `/proc/sys/net/ipv6/conf/eth0/accept_ra`. */
  readonly source: string;
  /** What it said, in a line. */
  readonly value: string;
}

/** A part of Talos' machine configuration, said once for all its versions; `doctor/talos` writes it down for each. */
export type TalosChange =
  | { readonly change: "sysctl"; readonly name: string; readonly value: string }
  | { readonly change: "module"; readonly name: string; readonly parameters?: readonly string[] }
  | { readonly change: "udev-rule"; readonly rule: string }
  | { readonly change: "sysfs"; readonly name: string; readonly value: string }
  | { readonly change: "vlan"; readonly name: string; readonly id: number; readonly parent: string; readonly mtu?: number }
  | {
      readonly change: "firewall-rule";
      readonly name: string;
      readonly port: number;
      readonly protocol: "udp" | "tcp";
      readonly subnets: readonly string[];
    };

/** How it is mended. */
export interface Remedy {
  /** One sentence: what to do. */
  readonly text: string;
  /** What a machine-config patch can do about it. */
  readonly talos?: readonly TalosChange[];
  /** Shell commands for a Linux that is not Talos. */
  readonly linux?: readonly string[];
}

/** What a check says of one subject. */
export interface Outcome {
  /** What it is about: an interface, a radio's id, a port path. Left out: the node. */
  readonly subject?: string;
  readonly verdict: "pass" | "fail" | "unknown";
  /** Where it weighs less than the check's own level says. */
  readonly level?: FindingLevel;
  /** One plain sentence. With `unknown`: why nobody can tell. */
  readonly text: string;
  readonly evidence: readonly FindingEvidence[];
  readonly remedy?: Remedy;
  /** The radio it is about, by its id. */
  readonly radioId?: string;
}

/** A question to the machine. Data, and one pure function. */
export interface Check {
  /** Stable, such as `THR-05`; a plugin's begin with its name. */
  readonly id: string;
  readonly level: FindingLevel;
  /** What is asked, in a few words: `Thread routes are accepted`. */
  readonly title: string;
  /** Where the rule comes from. */
  readonly source: string;
  /** Globs below `/proc`, `/sys`, `/run` and `/var/lib/kubelet` that `judge` will ask for; `*` is within one segment. */
  readonly reads: readonly string[];
  /** Judges. A sentence instead of outcomes: why there is nothing to judge here. Must not throw. */
  judge(facts: Facts): readonly Outcome[] | string;
}

/** An outcome, with the check it comes from. */
export interface Finding extends Outcome {
  readonly id: string;
  readonly level: FindingLevel;
  readonly title: string;
  readonly source: string;
}

/** All that one examination said. */
export interface DoctorReport {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly durationMs: number;
  readonly os: Facts["os"];
  readonly findings: readonly Finding[];
  /** Checks that had nothing to judge, and why. */
  readonly notApplicable: readonly { readonly id: string; readonly title: string; readonly why: string }[];
}
