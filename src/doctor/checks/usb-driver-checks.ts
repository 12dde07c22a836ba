/** Whether a stick has the driver that makes a serial port of it, and whether that worked. */
import type { Check, Facts, Outcome, Reading } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown, whyNot } from "../judge.ts";
import { kernelLogReads, logEvidences, recentMessages, usbPortOf, whyNoLog } from "../read/kernel-log.ts";
import { aboutSubject, isBridge, serialClass, type UsbSubject, usbSubjects, wantsSerialPort } from "../read/usb-subjects.ts";
import { readUsbTree, type UsbTreeDevice, usbTreeReads } from "../read/usb-tree.ts";

const devices = "/sys/bus/usb/devices";
const drivers = "/sys/bus/usb/drivers";
const driverReads = [...usbTreeReads, `${devices}/*/driver`, `${devices}/*/modalias`, `${drivers}/*`];
const nothingPlugged = "no USB radio is plugged in that needs a serial port";

/** An interface that should have become a serial port. */
interface SerialInterface {
  readonly path: string;
  readonly classCode: string;
  /** Absent where no driver has taken it. */
  readonly driver?: string;
  /** The module that would take it. */
  readonly module: Reading<string>;
  /** That module's driver is there, loaded or part of the kernel. */
  readonly registered: boolean;
}

interface DrivenSubject extends UsbSubject {
  readonly interfaces: readonly SerialInterface[];
}

/** All sticks of which a serial port is expected, with the interfaces it should come from. */
function drivenSubjects(facts: Facts): readonly DrivenSubject[] {
  const tree = readUsbTree(facts);
  const registered = new Set(facts.paths(`${drivers}/*`).map((path) => path.slice(drivers.length + 1)));
  return usbSubjects(facts).flatMap((subject) => {
    const device = tree.get(subject.port);
    if (device === undefined || !wantsSerialPort(subject)) return [];
    const interfaces = serialInterfaces(facts, device).map((each): SerialInterface => {
      const module = moduleOf(facts, each.path);
      const name = valueOf(module);
      return Object.assign(each, { module, registered: name !== undefined && (registered.has(name) || facts.isBuiltIn(name)) });
    });
    return interfaces.length === 0 ? [] : [{ ...subject, interfaces }];
  });
}

/** Serial by their class; else vendor-specific ones, where nothing at all of the device has a driver but a serial one. */
function serialInterfaces(facts: Facts, { interfaces }: UsbTreeDevice): readonly Pick<SerialInterface, "path" | "classCode" | "driver">[] {
  const all = interfaces.map(({ path, classCode }) => {
    const driver = valueOf(facts.link(`${path}/driver`));
    return { path, classCode, ...(driver !== undefined && { driver }) };
  });
  const byClass = all.filter(({ classCode }) => serialClass.test(classCode));
  const bound = all.filter(({ driver }) => driver !== undefined && serialDrivers.has(driver) && driver !== "cdc_acm");
  if (byClass.length + bound.length > 0) return [...byClass, ...bound];
  return all.every(({ driver }) => driver === undefined) ? all.filter(({ classCode }) => classCode.startsWith("ff/")) : [];
}

function moduleOf(facts: Facts, path: string): Reading<string> {
  const modalias = facts.file(`${path}/modalias`);
  return modalias.state === "read" ? facts.moduleFor(modalias.value) : modalias;
}

const evidenceOfDriver = (facts: Facts, { path }: Pick<SerialInterface, "path">) => [
  evidenceOf(`${path}/driver`, facts.link(`${path}/driver`)),
  evidenceOf(`${path}/modalias`, facts.file(`${path}/modalias`)),
];

const loaded: Check = {
  id: "USB-01",
  level: "fail",
  title: "The driver of each stick is loaded",
  source: "modules.alias of depmod(8); Linux Documentation/ABI/testing/sysfs-bus-usb; Talos loads drivers through udevd",
  reads: driverReads,
  judge(facts) {
    const outcomes = drivenSubjects(facts).flatMap((subject) => judgeLoaded(facts, subject));
    return outcomes.length === 0 ? nothingPlugged : outcomes;
  },
};

function judgeLoaded(facts: Facts, subject: DrivenSubject): Outcome[] {
  const about = aboutSubject(subject);
  const missing = subject.interfaces.find(({ driver }) => driver === undefined);
  if (missing === undefined) {
    const names = [...new Set(subject.interfaces.map(({ driver }) => driver ?? ""))].join(", ");
    return [pass(`${subject.label} is driven by ${names}.`, evidenceOfDriver(facts, subject.interfaces[0] ?? { path: "" }), about)];
  }
  const { module, registered } = missing;
  // That the kernel has no driver at all is the next check's to say.
  if (module.state === "absent") return [];
  if (module.state === "unreadable") {
    return [unknown(`Which driver ${subject.label} needs cannot be told: ${whyNot(module)}.`, evidenceOfDriver(facts, missing), about)];
  }
  const name = module.value;
  const evidence = [...evidenceOfDriver(facts, missing), { source: "modules.alias", value: name }];
  if (registered) return [pass(`The driver ${name} for ${subject.label} is loaded.`, evidence, about)];
  return [
    fail({
      ...about,
      text: `${subject.label} has no serial port, because its driver ${name} is on this machine but not loaded.`,
      evidence: [...evidence, { source: `${drivers}/${name}`, value: "not there" }],
      remedy: {
        text: `Have the kernel module ${name} loaded at start.`,
        talos: [{ change: "module", name }],
        linux: [`modprobe ${name}`, `echo ${name} > /etc/modules-load.d/${name}.conf`],
      },
    }),
  ];
}

const exists: Check = {
  id: "USB-02",
  level: "fail",
  title: "The kernel has a driver for each stick",
  source: "modules.alias and modules.builtin.modinfo of depmod(8); Linux Documentation/ABI/testing/sysfs-bus-usb, new_id",
  reads: driverReads,
  judge(facts) {
    // Of a stick that is not known to be a radio, a missing driver says nothing: programs may drive it by way of libusb.
    const subjects = drivenSubjects(facts).filter(
      ({ radios, interfaces }) => radios.length > 0 || interfaces.some((each) => serialClass.test(each.classCode)),
    );
    return subjects.length === 0 ? nothingPlugged : subjects.map((subject) => judgeExists(facts, subject));
  },
};

function judgeExists(facts: Facts, subject: DrivenSubject): Outcome {
  const about = aboutSubject(subject);
  const { vendorId, productId } = subject.usb;
  const missing = subject.interfaces.find(({ driver, module }) => driver === undefined && module.state !== "read");
  const evidence = evidenceOfDriver(facts, missing ?? subject.interfaces[0] ?? { path: "" });
  if (missing === undefined) return pass(`The kernel has a driver for ${subject.label}.`, evidence, about);
  if (missing.module.state === "unreadable") {
    return unknown(`Whether the kernel has a driver for ${subject.label} cannot be told: ${whyNot(missing.module)}.`, evidence, about);
  }
  return fail({
    ...about,
    text: `${subject.label} cannot be used: this kernel has no driver for ${vendorId}:${productId}.`,
    evidence,
    remedy: {
      text: "Use a stick with another USB chip (CP210x, CH340, FTDI or CDC), or a kernel that has the driver; on Talos that is another version or a custom image.",
      linux: [
        "modprobe usbserial",
        `echo ${vendorId} ${productId} > /sys/bus/usb-serial/drivers/generic/new_id  # to try it; slow, and gone after a reboot`,
      ],
    },
  });
}

/** Drivers that make serial ports, by their names in /sys/bus/usb/drivers (Linux drivers/usb/serial, drivers/usb/class). */
const serialDrivers = new Set([
  "cdc_acm",
  "cp210x",
  "ftdi_sio",
  "ch341",
  "pl2303",
  "xr_serial",
  "ti_usb_3410_5052",
  "usb_serial_simple",
  "usbserial_generic",
  "mct_u232",
  "ark3116",
  "option",
]);

const ttyReads = [`${devices}/*/tty/tty*`, `${devices}/*/ttyUSB*/tty/ttyUSB*`];

const probed: Check = {
  id: "USB-03",
  level: "fail",
  title: "Each driver has made a serial port",
  source: "Linux drivers/base/dd.c (“probe … failed with error”), drivers/usb/serial/usb-serial.c, drivers/usb/class/cdc-acm.c",
  reads: [...driverReads, ...ttyReads],
  judge(facts) {
    const outcomes = drivenSubjects(facts).flatMap((subject) => judgeProbed(facts, subject));
    return outcomes.length === 0 ? "no stick has a serial driver" : outcomes;
  },
};

function judgeProbed(facts: Facts, subject: DrivenSubject): Outcome[] {
  const about = aboutSubject(subject);
  const ports = ttyReads.flatMap((glob) => facts.paths(glob));
  const taken = subject.interfaces.filter(({ driver, registered }) => (driver === undefined ? registered : serialDrivers.has(driver)));
  // The data interface of CDC ACM hangs on its driver too, but the port is made of the control interface.
  const judged = taken.filter(({ driver, classCode }) => driver !== "cdc_acm" || serialClass.test(classCode));
  if (judged.length === 0) return [];
  const without = judged.find(({ path }) => !ports.some((port) => port.startsWith(`${path}/`)));
  if (without === undefined) {
    const names = ports
      .filter((port) => judged.some(({ path }) => port.startsWith(`${path}/`)))
      .map((port) => port.slice(port.lastIndexOf("/") + 1));
    return [pass(`${subject.label} is ${names.map((name) => `/dev/${name}`).join(", ")}.`, [], about)];
  }
  const driver = without.driver ?? valueOf(without.module) ?? "";
  const said = (valueOf(facts.kernelLog) ?? []).filter(
    (message) => usbPortOf(message) === subject.port && /fail|error/i.test(message.text),
  );
  return [
    fail({
      ...about,
      text: `The driver ${driver} is there but could not start ${subject.label}, so it has no serial port.`,
      evidence: [...evidenceOfDriver(facts, without), ...logEvidences(said)],
      remedy: {
        text: "Unplug the stick and plug it in again, in another port if it happens again. If it never works, the stick is broken or this kernel's driver does not get along with it.",
        linux: [`echo 0 > ${devices}/${subject.port}/authorized; echo 1 > ${devices}/${subject.port}/authorized  # as if replugged`],
      },
    }),
  ];
}

const authorized: Check = {
  id: "USB-19",
  level: "fail",
  title: "No stick is deauthorised",
  source: "Linux Documentation/usb/authorization.rst; Documentation/ABI/testing/sysfs-bus-usb, authorized",
  reads: [...usbTreeReads, `${devices}/*/authorized`],
  judge(facts) {
    const subjects = new Map(usbSubjects(facts).map((subject) => [subject.port, subject]));
    const remembered = new Map(
      facts.radios.flatMap(({ device }) => (device.usb === undefined ? [] : [[device.usb.port, device.usb] as const])),
    );
    const outcomes = [...readUsbTree(facts).values()].flatMap((device): Outcome[] => {
      const subject = subjects.get(device.port);
      const last = remembered.get(device.port);
      const known = subject ?? (last?.vendorId === device.vendorId && last.productId === device.productId ? last : undefined);
      // Nothing is known of a deauthorised device but its numbers.
      if (known === undefined && (device.isHub || !isBridge(device.vendorId))) return [];
      return [judgeAuthorized(facts, device, subject)];
    });
    return outcomes.length === 0 ? "no USB radio is plugged in" : outcomes;
  },
};

function judgeAuthorized(facts: Facts, device: UsbTreeDevice, subject: UsbSubject | undefined): Outcome {
  const about = subject === undefined ? { subject: device.port } : aboutSubject(subject);
  const label = subject?.label ?? `USB device ${device.vendorId}:${device.productId} in USB port ${device.port}`;
  const files = [device.path, ...device.interfaces.map(({ path }) => path)].map((path) => `${path}/authorized`);
  const refused = files.find((file) => valueOf(facts.file(file)) === "0");
  const own = facts.file(files[0] ?? "");
  if (refused === undefined && own.state === "unreadable")
    return unknown(`Whether ${label} is authorised cannot be told: ${files[0] ?? ""}: ${own.why}.`, [], about);
  if (refused === undefined) return pass(`${label} may be used.`, [evidenceOf(files[0] ?? "", own)], about);
  return fail({
    ...about,
    text: `${label} is locked: something has told the kernel not to use it.`,
    evidence: [evidenceOf(refused, facts.file(refused))],
    remedy: {
      text: "Find what locks USB devices here (USBGuard, a udev rule, or usbcore.authorized_default on the kernel's command line) and let it allow this one.",
      talos: [
        {
          change: "udev-rule",
          rule: `ACTION=="add", SUBSYSTEM=="usb", ATTR{idVendor}=="${device.vendorId}", ATTR{idProduct}=="${device.productId}", ATTR{authorized}="1"`,
        },
      ],
      linux: [`echo 1 > ${refused}`],
    },
  });
}

/** What bridges say that do not answer control requests (drivers/usb/serial/ch341.c, drivers/usb/class/cdc-acm.c). */
const refusals = /: failed to receive control message: -\d+$|: failed to set dtr\/rts$/;
/** A port that is pulled out while it is open says the same once more. */
const farewellSeconds = 2;

const answers: Check = {
  id: "USB-21",
  level: "fail",
  title: "USB bridges answer their drivers",
  source: "Linux drivers/usb/serial/ch341.c, drivers/usb/class/cdc-acm.c; home-assistant/operating-system#4228",
  reads: [...kernelLogReads, ...ttyReads],
  judge(facts) {
    const subjects = usbSubjects(facts).filter(wantsSerialPort);
    if (subjects.length === 0) return nothingPlugged;
    const recent = recentMessages(facts);
    if (recent.state !== "read") return [unknown(`What the drivers said cannot be told: ${whyNoLog(recent)}.`)];
    const ports = ttyReads.flatMap((glob) => facts.paths(glob));
    return subjects.map((subject) => {
      const about = aboutSubject(subject);
      const names = ports
        .filter((port) => port.startsWith(`${devices}/${subject.port}:`))
        .map((port) => port.slice(port.lastIndexOf("/") + 1));
      const left = recent.value.filter((message) => usbPortOf(message) === subject.port && message.text.includes("USB disconnect"));
      const said = recent.value.filter(
        (message) =>
          refusals.test(message.text) &&
          (usbPortOf(message) === subject.port || names.some((name) => message.text.includes(` ${name}: `))) &&
          !left.some(({ seconds }) => message.seconds >= seconds && message.seconds <= seconds + farewellSeconds),
      );
      if (said.length === 0) return pass(`${subject.label} has answered its driver for the last ten minutes.`, [], about);
      return fail({
        ...about,
        text: `${subject.label} did not answer its driver within the last ten minutes.`,
        evidence: logEvidences(said),
        remedy: {
          text: "Unplug it and plug it into another port, without a hub or with a better cable. If it worked with an older kernel, it is a fault of this one: go back, or wait for the next.",
        },
      });
    });
  },
};

export const usbDriverChecks: readonly Check[] = [loaded, exists, probed, authorized, answers];
