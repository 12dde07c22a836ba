/** Whether radios have power: from the hub, from the board, and all the time. */
import type { Check, Facts, Outcome } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown } from "../judge.ts";
import { numberIn, whyNoFile } from "../read/evidence.ts";
import { logEvidences, usbPortOf } from "../read/kernel-log.ts";
import { aboutSubject, usbSubjects, wantsSerialPort } from "../read/usb-subjects.ts";
import { hubsAbove, readUsbTree, type UsbTreeDevice, usbTreeReads } from "../read/usb-tree.ts";

const devices = "/sys/bus/usb/devices";

const awake: Check = {
  id: "USB-06",
  level: "warning",
  title: "No stick is put to sleep",
  source: "Linux Documentation/driver-api/usb/power-management.rst; Documentation/ABI/testing/sysfs-devices-power",
  reads: [`${devices}/*/power/control`, `${devices}/*/power/runtime_status`],
  judge(facts) {
    // Drivers of Bluetooth and Wi-Fi put theirs to sleep and wake them as they should.
    const subjects = usbSubjects(facts).filter(wantsSerialPort);
    if (subjects.length === 0) return "no USB radio with a serial port is plugged in";
    return subjects.map((subject) => {
      const about = aboutSubject(subject);
      const { port, label, usb } = subject;
      const [control, status] = [`${devices}/${port}/power/control`, `${devices}/${port}/power/runtime_status`];
      const [wanted, is] = [facts.file(control), facts.file(status)];
      const evidence = [evidenceOf(control, wanted), evidenceOf(status, is)];
      if (wanted.state === "unreadable")
        return unknown(`Whether ${label} is put to sleep cannot be told: ${whyNoFile(control, wanted)}.`, evidence, about);
      if (valueOf(wanted) !== "auto" || valueOf(is) !== "suspended") return pass(`${label} is awake.`, evidence, about);
      return fail({
        ...about,
        text: `${label} was put to sleep to save power, and may lose what it hears.`,
        evidence,
        remedy: {
          text: "Keep this stick awake by a udev rule.",
          talos: [
            {
              change: "udev-rule",
              rule: `ACTION=="add", SUBSYSTEM=="usb", ATTR{idVendor}=="${usb.vendorId}", ATTR{idProduct}=="${usb.productId}", ATTR{power/control}="on"`,
            },
          ],
          linux: [`echo on > ${control}`],
        },
      });
    });
  },
};

/** USB 2.0 §7.2.1.1 and USB 3.2 §11.4.2: what a port gives, in milliamperes. */
const portGives = { usb2: 500, usb3: 900 } as const;
const superSpeed = 5000;
/** Bit 6 of bmAttributes: self-powered (USB 2.0 §9.6.3). */
const selfPowered = 0x40;
const rejected = /: rejected \d+ configurations? due to insufficient available bus power$/;

const hubs: Check = {
  id: "USB-15",
  level: "warning",
  title: "Hubs have enough power for what hangs on them",
  source: "USB 2.0 §7.2.1.1 and §9.6.3; Linux drivers/usb/core/generic.c, usb_choose_configuration()",
  reads: [...usbTreeReads, ...["bMaxPower", "bmAttributes", "speed"].map((name) => `${devices}/*/${name}`)],
  judge(facts) {
    const tree = readUsbTree(facts);
    const radioHubs = new Set(usbSubjects(facts).flatMap(({ port }) => hubsAbove(port)));
    const refused = (valueOf(facts.kernelLog) ?? []).flatMap((message): Outcome[] => {
      const device = rejected.test(message.text) ? tree.get(usbPortOf(message) ?? "") : undefined;
      // One that was plugged in elsewhere since has its interfaces, or is gone.
      if (device === undefined || device.interfaces.length > 0) return [];
      return [
        fail({
          subject: device.port,
          text: `USB device ${device.vendorId}:${device.productId} in USB port ${device.port} was refused, because its hub has not enough power for it.`,
          evidence: logEvidences([message]),
          remedy: ownSupply,
        }),
      ];
    });
    const judged = [...radioHubs].toSorted().flatMap((port) => {
      const hub = tree.get(port);
      return hub === undefined
        ? []
        : [
            judgeHub(
              facts,
              hub,
              [...tree.values()].filter((device) => device.hub === port),
            ),
          ];
    });
    return refused.length + judged.length === 0 ? "no radio hangs on a hub" : [...refused, ...judged];
  },
};

const ownSupply = { text: "Use a hub with a power supply of its own, or plug the radio directly into the machine." };

function judgeHub(facts: Facts, hub: UsbTreeDevice, children: readonly UsbTreeDevice[]): Outcome {
  const about = { subject: hub.port };
  const file = (device: UsbTreeDevice, name: string): string => `${device.path}/${name}`;
  const attributes = facts.file(file(hub, "bmAttributes"));
  const evidence = [evidenceOf(file(hub, "bmAttributes"), attributes)];
  if (attributes.state !== "read")
    return unknown(
      `How the hub in USB port ${hub.port} is powered cannot be told: ${whyNoFile(file(hub, "bmAttributes"), attributes)}.`,
      evidence,
      about,
    );
  if ((Number.parseInt(attributes.value, 16) & selfPowered) !== 0)
    return pass(`The hub in USB port ${hub.port} has a power supply of its own.`, evidence, about);
  const drawn = [hub, ...children].map((device) => ({ path: file(device, "bMaxPower"), reading: facts.file(file(device, "bMaxPower")) }));
  const total = drawn.reduce((sum, { reading }) => sum + (Number.parseInt(valueOf(reading) ?? "0", 10) || 0), 0);
  const gives = (numberIn(facts.file(file(hub, "speed"))) ?? 0) >= superSpeed ? portGives.usb3 : portGives.usb2;
  const all = [...evidence, ...drawn.map(({ path, reading }) => evidenceOf(path, reading))];
  if (total <= gives)
    return pass(`The hub in USB port ${hub.port} has enough power for what hangs on it: ${total} of ${gives} mA.`, all, about);
  return fail({
    ...about,
    text: `What hangs on the hub in USB port ${hub.port} may draw ${total} mA, but its port gives ${gives} mA.`,
    evidence: all,
    remedy: ownSupply,
  });
}

const board: Check = {
  id: "USB-16",
  level: "warning",
  title: "The Raspberry Pi has enough voltage",
  source: "Linux drivers/hwmon/raspberrypi-hwmon.c, Documentation/hwmon/raspberrypi-hwmon.rst",
  reads: ["/sys/class/hwmon/*/name", "/sys/class/hwmon/*/in0_lcrit_alarm"],
  judge(facts) {
    const name = facts.paths("/sys/class/hwmon/*/name").find((path) => valueOf(facts.file(path)) === "rpi_volt");
    if (name === undefined) return "this machine is no Raspberry Pi, or its kernel has no sensor for the voltage";
    const path = name.replace(/name$/, "in0_lcrit_alarm");
    const alarm = facts.file(path);
    const evidence = [evidenceOf(path, alarm)];
    if (alarm.state !== "read") return [unknown(`Whether the voltage is high enough cannot be told: ${whyNoFile(path, alarm)}.`, evidence)];
    if (alarm.value === "0") return [pass("The voltage is high enough.", evidence)];
    return [
      fail({
        text: "The Raspberry Pi's power supply is too weak: the voltage falls too low, and USB sticks are the first to notice.",
        evidence,
        remedy: { text: "Use the power supply made for this board, with its own cable." },
      }),
    ];
  },
};

export const usbPowerChecks: readonly Check[] = [awake, hubs, board];
