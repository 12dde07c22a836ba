/** What USB ports and controllers go through: current, contact, noise. All of it comes and goes, so it is looked for in the last ten minutes. */
import type { Check, Facts, KernelMessage, Outcome, Remedy } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown } from "../judge.ts";
import { numberIn, radioLabel } from "../read/evidence.ts";
import { kernelLogReads, logEvidences, recentMessages, usbPortOf, whyNoLog } from "../read/kernel-log.ts";
import { radioPorts, usbSubjects } from "../read/usb-subjects.ts";
import { hubsAbove, portNamed, readUsbTree, usbTreeReads } from "../read/usb-tree.ts";

const noUsb = "this machine has no USB";
const noRadio = "no radio is, or was, in a USB port";

/** The ports of radios, and those of the hubs they hang on: what happens there happens to the radio. */
function portsThatMatter(facts: Facts): ReadonlySet<string> {
  const ports = new Set([...radioPorts(facts), ...usbSubjects(facts).map(({ port }) => port)]);
  return new Set([...ports, ...[...ports].flatMap(hubsAbove)]);
}

/** `SONOFF Dongle Plus in USB port 1-1`, or `the device in USB port 1-1`. */
function whatIsIn(facts: Facts, port: string): string {
  const subject = usbSubjects(facts).find((each) => each.port === port);
  if (subject !== undefined) return subject.label;
  const absent = facts.radios.find(({ device }) => device.usb?.port === port);
  return absent === undefined ? `the device in USB port ${port}` : `${radioLabel(absent)}, last seen in USB port ${port},`;
}

function aboutPort(facts: Facts, port: string): Pick<Outcome, "subject" | "radioId"> {
  const radio = facts.radios.find(({ device }) => device.usb?.port === port);
  return { subject: port, ...(radio !== undefined && { radioId: radio.id }) };
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const contact: Remedy = {
  text: "Plug it directly into the machine with a short, good cable, or into another port. If it needs much power, use a hub with a power supply of its own.",
};

/** What a check of recent messages makes of one port. */
interface PortRule {
  /** The messages that count. */
  readonly pattern: RegExp;
  /** From how many of them on. */
  readonly from: number;
  readonly bad: (what: string, times: number) => string;
  readonly good: (what: string) => string;
}

function judgePorts(facts: Facts, rule: PortRule): readonly Outcome[] | string {
  const ports = portsThatMatter(facts);
  if (ports.size === 0) return noRadio;
  const recent = recentMessages(facts);
  if (recent.state !== "read") return [unknown(`What happened to the USB ports cannot be told: ${whyNoLog(recent)}.`)];
  return [...ports].toSorted().map((port) => {
    const what = capitalized(whatIsIn(facts, port));
    const about = aboutPort(facts, port);
    const said = recent.value.filter((message) => usbPortOf(message) === port && rule.pattern.test(message.text));
    if (said.length < rule.from) return pass(rule.good(what), logEvidences(said), about);
    return fail({ ...about, text: rule.bad(what, said.length), evidence: logEvidences(said), remedy: contact });
  });
}

const overCurrentCount = "/sys/bus/usb/devices/*/*-port*/over_current_count";

const overCurrent: Check = {
  id: "USB-08",
  level: "fail",
  title: "No port was switched off for drawing too much",
  source: "Linux Documentation/ABI/testing/sysfs-bus-usb, over_current_count; drivers/usb/core/hub.c",
  reads: [...kernelLogReads, overCurrentCount],
  judge(facts) {
    const counters = new Map(
      facts.paths(overCurrentCount).flatMap((path) => {
        const port = portNamed(path.split("/").at(-2) ?? "");
        return port === undefined ? [] : [[port, path] as const];
      }),
    );
    const ports = portsThatMatter(facts);
    const recent = recentMessages(facts);
    const now = valueOf(recent) ?? [];
    const complaints = now.filter(({ text }) => text.endsWith("over-current condition"));
    // A port with nothing in it may be wired badly, and nobody would care; it is told of while it happens.
    const judged = new Set([...ports, ...complaints.flatMap((message) => usbPortOf(message) ?? [])]);
    if (judged.size === 0) return noRadio;
    return [...judged].toSorted().map((port) => {
      const what = capitalized(whatIsIn(facts, port));
      const about = aboutPort(facts, port);
      const path = counters.get(port);
      const said = complaints.filter((message) => usbPortOf(message) === port);
      const counted = path === undefined ? undefined : facts.file(path);
      const times = counted === undefined ? undefined : numberIn(counted);
      const evidence = [...(path === undefined || counted === undefined ? [] : [evidenceOf(path, counted)]), ...logEvidences(said)];
      if (said.length > 0 || (times ?? 0) > 0) {
        return fail({
          ...about,
          text: `${what} drew more current than its port gives${times === undefined || times === 0 ? "" : `, ${times} times since the machine started`}.`,
          evidence,
          remedy: {
            text: "Use a hub with a power supply of its own, and look for a damaged plug or cable; the count starts anew when the machine does.",
          },
        });
      }
      if (times === undefined && recent.state !== "read")
        return unknown(`Whether ${whatIsIn(facts, port)} drew too much cannot be told: ${whyNoLog(recent)}.`, evidence, about);
      return pass(`${what} has not drawn too much current.`, evidence, about);
    });
  },
};

/** Flashing a stick makes two: out of its application, out of its bootloader. */
const loopFrom = 3;

const disconnects: Check = {
  id: "USB-09",
  level: "fail",
  title: "No stick comes and goes",
  source: "Linux drivers/usb/core/hub.c, usb_disconnect()",
  reads: kernelLogReads,
  judge: (facts) =>
    judgePorts(facts, {
      pattern: /: USB disconnect, device number \d+$/,
      from: loopFrom,
      bad: (what, times) => `${what} was lost ${times} times in the last ten minutes.`,
      good: (what) => `${what} does not come and go.`,
    }),
};

const noise: Check = {
  id: "USB-11",
  level: "fail",
  title: "No hub has switched a radio's port off",
  source: "Linux drivers/usb/core/hub.c, port_event()",
  reads: kernelLogReads,
  judge: (facts) =>
    judgePorts(facts, {
      pattern: /: disabled by hub \(EMI\?\), re-enabling/,
      from: 1,
      bad: (what, times) =>
        `${what} was switched off by its hub ${times === 1 ? "once" : `${times} times`} in the last ten minutes, which electrical noise or a bad contact does.`,
      good: (what) => `${what} was not switched off by its hub.`,
    }),
};

const enumerationError =
  /: device descriptor read\/\w+, error -\d+$|: device not accepting address \d+, error -\d+$|: unable to enumerate USB device$|: Cannot enable\. Maybe the USB cable is bad\?$/;
const givenUp = /: unable to enumerate USB device$/;
/** One stumble while a plug is pushed in is nothing; the kernel itself tries up to eight times. */
const errorsFrom = 3;

const enumeration: Check = {
  id: "USB-10",
  level: "fail",
  title: "What is plugged in comes up",
  source: "Linux drivers/usb/core/hub.c, hub_port_init() and hub_port_connect()",
  reads: [...kernelLogReads, ...usbTreeReads],
  judge(facts) {
    const tree = readUsbTree(facts);
    if (tree.size === 0 && valueOf(facts.kernelLog)?.some((message) => usbPortOf(message) !== undefined) !== true) return noUsb;
    const recent = recentMessages(facts);
    if (recent.state !== "read") return [unknown(`Whether USB devices come up cannot be told: ${whyNoLog(recent)}.`)];
    const byPort = new Map<string, KernelMessage[]>();
    for (const message of recent.value) {
      const port = enumerationError.test(message.text) ? usbPortOf(message) : undefined;
      if (port !== undefined) byPort.set(port, [...(byPort.get(port) ?? []), message]);
    }
    const bad = [...byPort].filter(
      ([port, said]) => said.length >= errorsFrom || (!tree.has(port) && said.some(({ text }) => givenUp.test(text))),
    );
    if (bad.length === 0)
      return [
        pass(
          "Every USB device that was plugged in during the last ten minutes has come up.",
          [...byPort.values()].flatMap((said) => logEvidences(said)),
        ),
      ];
    return bad.map(([port, said]) =>
      fail({
        ...aboutPort(facts, port),
        text: tree.has(port)
          ? `${capitalized(whatIsIn(facts, port))} came up only after several attempts.`
          : `Something is plugged into USB port ${port}, but it does not answer well enough to say what it is.`,
        evidence: logEvidences(said),
        remedy: contact,
      }),
    );
  },
};

const died = /^(\S+ \S+): HC died; cleaning up$/;

const controllers: Check = {
  id: "USB-12",
  level: "fail",
  title: "The USB controllers are alive",
  source: "Linux drivers/usb/core/hcd.c, usb_hc_died(); drivers/usb/host/xhci-ring.c",
  reads: usbTreeReads,
  judge(facts) {
    const { kernelLog } = facts;
    const tree = readUsbTree(facts);
    if (kernelLog.state !== "read")
      return tree.size === 0 ? noUsb : [unknown(`Whether a USB controller has died cannot be told: ${whyNoLog(kernelLog)}.`)];
    const dead = kernelLog.value.filter((message, index) => {
      const [, controller] = died.exec(message.text) ?? [];
      // One that was taken out (a dock) or started again (rebound) says so afterwards.
      const after = kernelLog.value.slice(index + 1).filter(({ text }) => text.startsWith(`${controller}: `));
      return controller !== undefined && !after.some(({ text }) => /: USB bus \d+ deregistered$|: new USB bus registered/.test(text));
    });
    if (dead.length === 0) return tree.size === 0 ? noUsb : [pass("No USB controller has died since the machine started.")];
    return [
      fail({
        text: "A USB controller has stopped working; nothing in its ports works until the machine is started again.",
        evidence: logEvidences(dead),
        remedy: {
          text: "Start the machine again (on Talos: `talosctl reboot`). If it comes back, update the firmware (BIOS) or move the sticks to ports of another controller.",
          linux: ["reboot"],
        },
      }),
    ];
  },
};

/** Kinds whose channels lie where a USB 3 link radiates (Intel, "USB 3.0 Radio Frequency Interference Impact on 2.4 GHz Wireless Devices"). */
const sensitiveKinds = new Set(["zigbee", "thread", "ieee802154"]);
const superSpeed = 5000;
/** Built into the Raspberry Pi 4, between its USB 2 sockets and the controller. */
const builtInHub = "2109:3431";
const speedReads = ["/sys/bus/usb/devices/*/speed", "/sys/bus/usb/devices/*/removable"];

const neighbours: Check = {
  id: "USB-07",
  level: "info",
  title: "No USB 3 device sits beside a 2.4 GHz radio",
  source: "Intel white paper 327216, USB 3.0 Radio Frequency Interference Impact on 2.4 GHz Wireless Devices",
  reads: [...usbTreeReads, ...speedReads],
  judge(facts) {
    const tree = readUsbTree(facts);
    const isBuiltIn = (port: string): boolean => {
      const hub = tree.get(port);
      return (
        hub !== undefined && (`${hub.vendorId}:${hub.productId}` === builtInHub || valueOf(facts.file(`${hub.path}/removable`)) === "fixed")
      );
    };
    const isDirect = (port: string): boolean => hubsAbove(port).every(isBuiltIn);
    const radios = usbSubjects(facts).filter(
      ({ identity }) => identity.state === "identified" && identity.kinds.some((kind) => sensitiveKinds.has(kind)),
    );
    if (radios.length === 0) return "no Zigbee or Thread stick is plugged in";
    const speedOf = (path: string): number => numberIn(facts.file(`${path}/speed`)) ?? 0;
    const loud = [...tree.values()].filter(({ port, path, isHub }) => !isHub && isDirect(port) && speedOf(path) >= superSpeed);
    return radios.map(({ port, label, radios: [radio] }) => {
      const about = { subject: radio?.id ?? port, ...(radio !== undefined && { radioId: radio.id }) };
      const evidence = loud.map(({ path }) => evidenceOf(`${path}/speed`, facts.file(`${path}/speed`)));
      if (!isDirect(port)) return pass(`${label} hangs on a hub, away from the machine's own sockets.`, [], about);
      if (loud.length === 0) return pass(`No USB 3 device is plugged into the machine beside ${label}.`, [], about);
      return fail({
        ...about,
        text: `${label} is plugged into the machine beside a USB 3 device, whose noise covers its radio band.`,
        evidence,
        remedy: { text: "Put the stick on a USB extension cable of half a metre or more, away from the machine and from USB 3 disks." },
      });
    });
  },
};

export const usbPortChecks: readonly Check[] = [neighbours, overCurrent, disconnects, enumeration, noise, controllers];
