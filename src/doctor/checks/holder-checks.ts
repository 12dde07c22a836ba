/** Who has radios open: one at a time, the one that should, and none that is gone. */
import type { Check, Facts, HeldNode, Outcome } from "../../core/check.ts";
import type { Radio } from "../../core/radio.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown, whyNot } from "../judge.ts";
import { radioLabel } from "../read/evidence.ts";
import { hiddenProcesses, type Holder, holdersOf } from "../read/holders.ts";
import { kernelLogReads, logEvidences, recentMessages, usbPortOf } from "../read/kernel-log.ts";
import { aboutSubject, bluetoothClass, type UsbSubject, usbSubjects, wantsSerialPort } from "../read/usb-subjects.ts";
import { readUsbTree, usbTreeReads } from "../read/usb-tree.ts";

const oneOwner =
  "Let only one program use it: scale the other down, or give it a stick of its own. Programs that share a port read each other's bytes.";

function presentRadios(facts: Facts, kind: Radio["device"]["function"]): readonly Radio[] {
  return facts.radios.filter(({ presence, device }) => presence === "present" && device.function === kind && device.nodes.length > 0);
}

function judgeHeld(facts: Facts, radio: Radio): Outcome {
  const label = radioLabel(radio);
  const about = { subject: radio.id, radioId: radio.id };
  const { nodes } = radio.device;
  const paths = nodes.map(({ path }) => path).join(", ");
  const holders = holdersOf(
    facts,
    (held) => !held.deleted && nodes.some(({ major, minor }) => major === held.major && minor === held.minor),
  );
  if (holders.state !== "read") return unknown(`Who has ${label} open cannot be told: ${whyNot(holders)}.`, [], about);
  const evidence = holders.value.flatMap((holder) => holder.evidence);
  const hidden = hiddenProcesses(facts);
  const [first, second] = holders.value;
  if (first !== undefined && second !== undefined) {
    return fail({
      ...about,
      text: `${label} (${paths}) is open in ${holders.value.length} places at once: ${holders.value.map((holder) => holder.label).join(" and ")}.`,
      evidence,
      remedy: { text: oneOwner, linux: nodes.map(({ path }) => `fuser -v ${path}`) },
    });
  }
  if (hidden > 0)
    return unknown(
      `Whether only one program has ${label} open cannot be told: the open files of ${hidden} processes are hidden from aerial.`,
      evidence,
      about,
    );
  return pass(first === undefined ? `Nobody has ${label} open.` : `${label} is open in one place: ${first.label}.`, evidence, about);
}

const ports: Check = {
  id: "TTY-02",
  level: "fail",
  title: "Each serial port has one owner",
  source: "proc_pid_fd(5), cgroups(7); a tty gives each byte to whoever reads first",
  reads: [],
  judge(facts) {
    const radios = presentRadios(facts, "serial");
    return radios.length === 0 ? "no radio with a serial port is plugged in" : radios.map((radio) => judgeHeld(facts, radio));
  },
};

const concentrators: Check = {
  id: "LORA-04",
  level: "warning",
  title: "Each LoRa concentrator has one owner",
  source: "proc_pid_fd(5); Linux Documentation/spi/spidev.rst",
  reads: [],
  judge(facts) {
    const radios = presentRadios(facts, "spi");
    return radios.length === 0 ? "no radio hangs on SPI" : radios.map((radio) => judgeHeld(facts, radio));
  },
};

/** Documentation/admin-guide/devices.txt: USB serial ports and ACM ports. */
const characterDevices = ["/sys/dev/char/188:*", "/sys/dev/char/166:*"];
const usbTtyMajors: ReadonlySet<number> = new Set([188, 166]);

const stale: Check = {
  id: "TTY-03",
  level: "fail",
  title: "Nobody holds a port that is gone",
  source: "Linux drivers/tty/tty_io.c, hung-up terminals; kubernetes/kubernetes#79228",
  reads: characterDevices,
  judge(facts) {
    const there = new Set(characterDevices.flatMap((glob) => facts.paths(glob)));
    const isListed = characterDevices.every((glob) => facts.unlisted(glob) === undefined);
    const isStale = ({ major, minor, deleted }: HeldNode): boolean =>
      usbTtyMajors.has(major) && (deleted || (isListed && !there.has(`/sys/dev/char/${major}:${minor}`)));
    const holders = holdersOf(facts, isStale);
    if (holders.state !== "read") return [unknown(`Whether a program holds a port that is gone cannot be told: ${whyNot(holders)}.`)];
    if (holders.value.length === 0) return [pass("No program holds a USB serial port that is gone.")];
    return holders.value.map(({ label, evidence }) =>
      fail({
        subject: label,
        text: `${capitalized(label)} still holds a serial port whose stick was unplugged, so it hears nothing, and the stick comes back under another number.`,
        evidence,
        remedy: {
          text: "Restart that program; of a pod, delete the pod. It finds the stick again if it is configured with the name below /dev/serial/by-id or asks aerial for the radio.",
        },
      }),
    );
  },
};

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Documentation/admin-guide/devices.txt: /dev/bus/usb; minor as in drivers/usb/core/usb.c, 128 devices a bus. */
const usbMajor = 189;
const claimed = /: usbfs: interface \d+ claimed by \S+ while '([^']*)' (?:sets config|resets device)/;

const taken: Check = {
  id: "USB-17",
  level: "warning",
  title: "No program has taken a stick from its driver",
  source: "Linux drivers/usb/core/devio.c",
  reads: [...usbTreeReads, "/sys/bus/usb/devices/*/driver", ...kernelLogReads],
  judge(facts) {
    const tree = readUsbTree(facts);
    // Software-defined radios are driven in this way, and in no other.
    const subjects = usbSubjects(facts).filter(
      (subject) => wantsSerialPort(subject) || subject.usb.interfaces.some(({ classCode }) => classCode === bluetoothClass),
    );
    if (subjects.length === 0) return "no USB radio is plugged in that a kernel driver should have";
    return subjects.map((subject) => {
      const interfaces = tree.get(subject.port)?.interfaces ?? [];
      const links = interfaces.map(({ path }) => `${path}/driver`);
      const usbfs = links.find((link) => valueOf(facts.link(link)) === "usbfs");
      const said = (valueOf(recentMessages(facts)) ?? []).filter(
        (message) => usbPortOf(message) === subject.port && claimed.test(message.text),
      );
      return judgeTaken(facts, subject, { ...(usbfs !== undefined && { link: usbfs }), said });
    });
  },
};

function judgeTaken(
  facts: Facts,
  subject: UsbSubject,
  { link, said }: { link?: string; said: Parameters<typeof logEvidences>[0] },
): Outcome {
  const about = aboutSubject(subject);
  if (link === undefined && said.length === 0) return pass(`No program has taken ${subject.label} from its driver.`, [], about);
  const { busNumber, deviceNumber } = subject.usb;
  const minor = (busNumber - 1) * 128 + deviceNumber - 1;
  const holders: readonly Holder[] = valueOf(holdersOf(facts, (node) => node.major === usbMajor && node.minor === minor)) ?? [];
  const names = holders.length > 0 ? holders.map(({ label }) => label) : said.map(({ text }) => claimed.exec(text)?.[1] ?? "");
  const who = names.length === 0 ? "A program" : capitalized([...new Set(names)].join(" and "));
  return fail({
    ...about,
    text: `${who} has taken ${subject.label} from its driver and talks to it directly, so nobody else can.`,
    evidence: [
      ...(link === undefined ? [] : [evidenceOf(link, facts.link(link))]),
      ...logEvidences(said),
      ...holders.flatMap(({ evidence }) => evidence),
    ],
    remedy: {
      text: "Stop that program (brltty, a program that uses libusb, or a virtual machine that was given the stick), or give it another stick.",
    },
  });
}

/** Both open any new serial port to see what is there. comm holds 15 bytes. */
const probers: ReadonlySet<string> = new Set(["ModemManager", "brltty"]);

const probing: Check = {
  id: "USB-18",
  level: "info",
  title: "Nothing tries out new serial ports",
  source: "ModemManager and brltty open serial ports that appear; Talos has neither",
  reads: [],
  judge(facts) {
    if (presentRadios(facts, "serial").length === 0) return "no radio with a serial port is plugged in";
    const { processes } = facts;
    if (processes.state !== "read") return [unknown(`Whether a program tries out serial ports cannot be told: ${whyNot(processes)}.`)];
    const found = processes.value.filter(({ name }) => probers.has(name));
    if (found.length === 0) return [pass("No program that tries out serial ports is running.")];
    return found.map(({ pid, name }) =>
      fail({
        subject: name,
        text: `${name} is running: it opens each new serial port to see what is there, which confuses radios for some seconds.`,
        evidence: [{ source: `/proc/${pid}/comm`, value: name }],
        remedy: {
          text: `Remove ${name} if nothing here needs it, or have it leave radios alone.`,
          linux:
            name === "brltty" ? ["systemctl mask --now brltty-udev.service brltty.service"] : ["systemctl mask --now ModemManager.service"],
        },
      }),
    );
  },
};

export const holderChecks: readonly Check[] = [ports, stale, concentrators, taken, probing];
