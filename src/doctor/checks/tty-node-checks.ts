/** The nodes in /dev through which programs reach radios: that they are there, are what they seem, may be opened and are nobody's console. */
import type { Check, DeviceNodeFacts, Facts, FindingEvidence, Outcome, PodFacts, Remedy } from "../../core/check.ts";
import type { Radio } from "../../core/radio.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown, whyNot } from "../judge.ts";
import { radioLabel, whyNoFile } from "../read/evidence.ts";
import { nodeBehind } from "../read/device-paths.ts";

const ttyDevs = ["/sys/class/tty/ttyUSB*/dev", "/sys/class/tty/ttyACM*/dev"];
const radioNodeName = /^\/dev\/(?:tty(?:USB|ACM)\d+|serial\/by-(?:id|path)\/[^/]+)$/;

const nodes: Check = {
  id: "USB-04",
  level: "fail",
  title: "Each serial port has its device node",
  source: "Linux drivers/base/devtmpfs.c; containerd creates missing hostPath sources as directories (pkg/oci, WithMounts)",
  reads: ttyDevs,
  judge(facts) {
    const ttys = ttyDevs.flatMap((glob) => facts.paths(glob)).map((path) => ({ path, node: `/dev/${path.split("/").at(-2) ?? ""}` }));
    const strays = facts.deviceNodes.filter(
      ({ path, type }) => type === "directory" && radioNodeName.test(path) && ttys.every(({ node }) => node !== path),
    );
    const outcomes = [
      ...ttys.map((tty) => judgeNode(facts, tty)),
      ...strays.map(({ path }) => inPlaceOf(facts, { node: path, evidence: [], about: { subject: path } })),
    ];
    return outcomes.length === 0 ? "no USB serial port is plugged in" : outcomes;
  },
};

function judgeNode(facts: Facts, { path, node }: { readonly path: string; readonly node: string }): Outcome {
  const radio = facts.radios.find(({ presence, device }) => presence === "present" && device.nodes.some((each) => each.path === node));
  const about = { subject: radio?.id ?? node, ...(radio !== undefined && { radioId: radio.id }) };
  const wanted = facts.file(path);
  const found = facts.deviceNode(node);
  const evidence = [evidenceOf(path, wanted)];
  if (wanted.state !== "read")
    return unknown(`Which device ${node} should be cannot be told: ${whyNoFile(path, wanted)}.`, evidence, about);
  if (found.state === "unreadable") return unknown(`Whether ${node} is what it should be cannot be told: ${found.why}.`, evidence, about);
  if (found.state === "absent") {
    return fail({
      ...about,
      text: `The kernel has a serial port for ${radio === undefined ? node : radioLabel(radio)}, but there is no ${node}.`,
      evidence: [...evidence, { source: node, value: "not there" }],
      remedy: { text: "Mount the host's own /dev into the pod: a container's own shows only what was there when it started." },
    });
  }
  const { type, major, minor } = found.value;
  if (type === "directory") return inPlaceOf(facts, { node, evidence, about });
  const is = type === "character" ? `${major ?? "?"}:${minor ?? "?"}` : `a file of another kind (${type})`;
  if (is === wanted.value) return pass(`${node} is there and leads to its port.`, evidence, about);
  return fail({
    ...about,
    text: `${node} does not lead to the port it is named after.`,
    evidence: [...evidence, { source: node, value: is }],
    remedy: { text: `Remove ${node}, unplug the stick and plug it in again; the kernel makes the node anew.`, linux: [`rm ${node}`] },
  });
}

interface InPlace {
  readonly node: string;
  readonly evidence: readonly FindingEvidence[];
  readonly about: Pick<Outcome, "subject" | "radioId">;
}

function inPlaceOf(facts: Facts, { node, evidence, about }: InPlace): Outcome {
  const pods =
    facts.cluster === undefined ? [] : (valueOf(facts.cluster.pods) ?? []).filter(({ hostDevices }) => hostDevices.includes(node));
  const whose = pods.length === 0 ? "A pod" : `Pod ${pods.map(nameOf).join(" and ")}`;
  return fail({
    ...about,
    text: `${node} is a directory: ${whose} was started while the stick was away, and the container runtime made one in its place.`,
    evidence: [...evidence, { source: node, value: "a directory" }],
    remedy: {
      text: "Delete the pod, remove the directory (a reboot does), plug the stick in again, and write `type: CharDevice` into the pod's hostPath so that it waits for the stick.",
      linux: [`rmdir ${node}`],
    },
  });
}

const nameOf = ({ namespace, name }: PodFacts): string => `${namespace}/${name}`;

const permissions: Check = {
  id: "TTY-01",
  level: "fail",
  title: "Pods may open the ports they mount",
  source: "Linux fs/namei.c, generic_permission(); PodSecurityContext; Talos' udevd does not resolve group names",
  reads: [],
  judge(facts) {
    if (facts.cluster === undefined) return "no cluster is configured, so nobody says as whom programs run";
    const { pods } = facts.cluster;
    if (pods.state !== "read") return [unknown(`As whom pods run cannot be told: ${whyNot(pods)}.`)];
    const outcomes = pods.value.flatMap((pod) =>
      // Of a pod that does not say its user, the image decides, which nobody here knows. Root may open anything.
      pod.user === undefined || pod.user === 0
        ? []
        : pod.hostDevices.flatMap((path) => judgePermission(facts, { pod, user: pod.user ?? 0, path })),
    );
    return outcomes.length === 0 ? "no pod that says its user id mounts the port of a radio" : outcomes;
  },
};

function judgePermission(facts: Facts, { pod, user, path }: { pod: PodFacts; user: number; path: string }): readonly Outcome[] {
  const node = nodeBehind(facts, path);
  const radio = facts.radios.find(
    ({ presence, device }) => presence === "present" && device.nodes.some((each) => each.path === node?.path),
  );
  if (node === undefined || radio === undefined) return [];
  const about = { subject: nameOf(pod), radioId: radio.id };
  const groups = pod.groups ?? [];
  const evidence = [
    { source: node.path, value: `mode ${node.mode.toString(8).padStart(4, "0")}, owner ${node.uid}, group ${node.gid}` },
    { source: `pod ${nameOf(pod)}`, value: `user ${user}, groups ${groups.length === 0 ? "none" : groups.join(", ")}` },
  ];
  if (mayOpen(node, user, groups)) return [pass(`Pod ${nameOf(pod)} may open ${radioLabel(radio)}.`, evidence, about)];
  return [
    fail({
      ...about,
      text: `Pod ${nameOf(pod)} runs as user ${user}, who may not open ${radioLabel(radio)} (${node.path}).`,
      evidence,
      remedy: toGroup(radio, node, groups[0] ?? dialout),
    }),
  ];
}

/** Debian's group of serial ports, which Talos' documentation uses too. Names are not resolved there: numbers only. */
const dialout = 20;

function toGroup({ device }: Radio, node: DeviceNodeFacts, group: number): Remedy {
  const { usb } = device;
  const match =
    usb === undefined
      ? `KERNEL=="${node.path.slice("/dev/".length)}"`
      : `ATTRS{idVendor}=="${usb.vendorId}", ATTRS{idProduct}=="${usb.productId}"`;
  return {
    text: `Give the port to group ${group} and put ${group} among the pod's supplementalGroups.`,
    talos: [{ change: "udev-rule", rule: `SUBSYSTEM=="tty", ${match}, GROUP="${group}", MODE="0660"` }],
    linux: [`chgrp ${group} ${node.path} && chmod 0660 ${node.path}  # until it is plugged in again`],
  };
}

/** Read and write, by the first class that fits: owner, group, others. */
function mayOpen({ mode, uid, gid }: DeviceNodeFacts, user: number, groups: readonly number[]): boolean {
  if (uid === user) return (mode & 0o600) === 0o600;
  return groups.includes(gid) ? (mode & 0o060) === 0o060 : (mode & 0o006) === 0o006;
}

const consoles: Check = {
  id: "TTY-04",
  level: "warning",
  title: "No radio's port is the kernel's console",
  source: "Linux Documentation/admin-guide/serial-console.rst; /proc/consoles (fs/proc/consoles.c)",
  reads: ["/proc/consoles"],
  judge(facts) {
    const radios = facts.radios.filter(({ presence, device }) => presence === "present" && device.function === "serial");
    if (radios.length === 0) return "no radio with a serial port is there";
    const file = "/proc/consoles";
    const read = facts.file(file);
    if (read.state !== "read") return [unknown(`Which ports are consoles cannot be told: ${whyNoFile(file, read)}.`)];
    // `ttyAMA0              -W- (EC   p a)  204:64`
    const names = new Map<string, string>(read.value.split("\n").map((line) => [`/dev/${line.split(/\s/)[0] ?? ""}`, line] as const));
    return radios.map((radio) => {
      const label = radioLabel(radio);
      const about = { subject: radio.id, radioId: radio.id };
      const node = radio.device.nodes.find(({ path }) => names.has(path));
      if (node === undefined) return pass(`${label} is not the kernel's console.`, [], about);
      return fail({
        ...about,
        text: `The kernel writes its messages to ${node.path}, which disturbs ${label}.`,
        evidence: [{ source: file, value: names.get(node.path) ?? "" }],
        remedy: {
          text: `Take console=${node.path.slice("/dev/".length)} off the kernel's command line: on a Raspberry Pi with Talos by an image made with other extraKernelArgs, elsewhere in the boot loader.`,
        },
      });
    });
  },
};

export const ttyNodeChecks: readonly Check[] = [nodes, permissions, consoles];
