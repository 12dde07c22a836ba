/** Whether Bluetooth adapters work: kernel, driver, firmware, switches, and the program that manages them. */
import type { Check, Facts, FindingEvidence, Outcome } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown } from "../judge.ts";
import { radioLabel, whyNoFile } from "../read/evidence.ts";
import { logEvidences } from "../read/kernel-log.ts";
import { bluetoothClass } from "../read/usb-subjects.ts";
import { readUsbTree, type UsbTreeDevice, usbTreeReads } from "../read/usb-tree.ts";

const devices = "/sys/bus/usb/devices";
const bluetooth = "/sys/class/bluetooth";
const noAdapter = "no Bluetooth adapter is on the USB";

interface Adapter {
  readonly device: UsbTreeDevice;
  /** The first of its Bluetooth interfaces: the second one carries voice. */
  readonly path: string;
  readonly label: string;
  readonly driver?: string;
  readonly about: Pick<Outcome, "subject" | "radioId">;
}

function adaptersOf(facts: Facts): readonly Adapter[] {
  return [...readUsbTree(facts).values()].flatMap((device) => {
    const face = device.interfaces.find(({ classCode }) => classCode === bluetoothClass);
    if (face === undefined) return [];
    const radio = facts.radios.find(({ presence, device: { usb } }) => presence === "present" && usb?.port === device.port);
    const driver = valueOf(facts.link(`${face.path}/driver`));
    const label =
      radio === undefined ? `The Bluetooth adapter in USB port ${device.port}` : `${radioLabel(radio)} in USB port ${device.port}`;
    const about = radio === undefined ? { subject: device.port } : { subject: radio.id, radioId: radio.id };
    return [{ device, path: face.path, label, about, ...(driver !== undefined && { driver }) }];
  });
}

/** Whether the kernel has Bluetooth; undefined where nobody can tell. What is loaded counts, however the kernel was built. */
function hasBluetooth(facts: Facts): boolean | undefined {
  if (facts.paths(bluetooth).length > 0) return true;
  const option = facts.kernelOption("CONFIG_BT");
  return option.state === "unreadable" ? undefined : option.state === "read";
}

const configEvidence = (facts: Facts, option: string): FindingEvidence => evidenceOf(`kernel option ${option}`, facts.kernelOption(option));

const inKernel: Check = {
  id: "BLE-01",
  level: "fail",
  title: "The kernel has Bluetooth",
  source: "siderolabs/pkgs#1651 and siderolabs/extensions#1203: Talos' kernel is built without CONFIG_BT",
  reads: [...usbTreeReads, bluetooth, `${devices}/*/removable`],
  judge(facts) {
    const adapters = adaptersOf(facts);
    if (adapters.length === 0) return noAdapter;
    const has = hasBluetooth(facts);
    const evidence = [configEvidence(facts, "CONFIG_BT")];
    if (has === true) return [pass("The kernel has Bluetooth.", evidence)];
    if (has === undefined) return [unknown("Whether the kernel has Bluetooth cannot be told: its configuration cannot be read.", evidence)];
    return adapters.map(({ device, label, about }) => {
      const removable = `${device.path}/removable`;
      // Nobody has plugged in what is part of the machine; nobody may miss it either.
      const isBuiltIn = valueOf(facts.file(removable)) === "fixed";
      return fail({
        ...about,
        ...(isBuiltIn && { level: "info" as const }),
        text: `${label} cannot be used: this kernel was built without Bluetooth.`,
        evidence: [...evidence, evidenceOf(removable, facts.file(removable))],
        remedy: {
          text: "Use a Bluetooth proxy on the network (ESPHome on an ESP32, or the Matter server's BLE proxy), or a kernel with Bluetooth; no released Talos has one.",
        },
      });
    });
  },
};

const driver: Check = {
  id: "BLE-02",
  level: "fail",
  title: "Each Bluetooth adapter has its driver",
  source: "modules.alias of depmod(8); Linux drivers/bluetooth/btusb.c",
  reads: [...usbTreeReads, bluetooth, `${devices}/*/driver`, `${devices}/*/modalias`, "/sys/bus/usb/drivers/*"],
  judge(facts) {
    const adapters = adaptersOf(facts).filter((adapter) => adapter.driver !== "usbfs");
    if (adapters.length === 0) return noAdapter;
    if (hasBluetooth(facts) === false) return "the kernel has no Bluetooth at all";
    return adapters.map((adapter) => judgeDriver(facts, adapter));
  },
};

function judgeDriver(facts: Facts, { path, label, about, driver: name }: Adapter): Outcome {
  const evidence = [
    evidenceOf(`${path}/driver`, facts.link(`${path}/driver`)),
    evidenceOf(`${path}/modalias`, facts.file(`${path}/modalias`)),
  ];
  if (name !== undefined) return pass(`${label} is driven by ${name}.`, evidence, about);
  const modalias = facts.file(`${path}/modalias`);
  const module = modalias.state === "read" ? facts.moduleFor(modalias.value) : modalias;
  if (module.state === "unreadable") return unknown(`Which driver ${label} needs cannot be told: ${module.why}.`, evidence, about);
  if (module.state === "absent") {
    return fail({
      ...about,
      text: `${label} cannot be used: this machine has no driver for it.`,
      evidence,
      remedy: {
        text: "Install the part of the kernel that has btusb: on Talos a system extension, elsewhere the package with the extra modules.",
      },
    });
  }
  const loaded = `/sys/bus/usb/drivers/${module.value}`;
  if (facts.paths(loaded).length > 0) {
    return fail({
      ...about,
      text: `The driver ${module.value} is loaded but has not taken ${label}.`,
      evidence: [...evidence, { source: loaded, value: "there" }],
      remedy: { text: "Unplug the adapter and plug it in again." },
    });
  }
  return fail({
    ...about,
    text: `${label} is not ready, because its driver ${module.value} is on this machine but not loaded.`,
    evidence: [...evidence, { source: "modules.alias", value: module.value }],
    remedy: {
      text: `Have the kernel module ${module.value} loaded at start.`,
      talos: [{ change: "module", name: module.value }],
      linux: [`modprobe ${module.value}`],
    },
  });
}

const controllerGlob = `${devices}/*/bluetooth/hci*`;
const missingFirmware = /Direct firmware load for \S+ failed with error -2/;

const firmware: Check = {
  id: "BLE-03",
  level: "fail",
  title: "Each Bluetooth adapter has started",
  source: "Linux drivers/base/firmware_loader/main.c; drivers/bluetooth",
  reads: [...usbTreeReads, `${devices}/*/driver`, controllerGlob],
  judge(facts) {
    const adapters = adaptersOf(facts).filter((adapter) => adapter.driver !== undefined && adapter.driver !== "usbfs");
    if (adapters.length === 0) return "no Bluetooth adapter on the USB has a driver";
    const controllers = facts.paths(controllerGlob);
    const said = (valueOf(facts.kernelLog) ?? []).filter(
      ({ text }) => missingFirmware.test(text) && /bluetooth|btusb|hci\d|_bt\/|\bibt-/i.test(text),
    );
    return adapters.map(({ device, label, about, path, driver: name = "" }) => {
      const found = controllers.filter((controller) => controller.startsWith(`${device.path}:`) && /\/hci\d+$/.test(controller));
      if (found.length > 0)
        return pass(`${label} is ${found.map((controller) => controller.slice(controller.lastIndexOf("/") + 1)).join(", ")}.`, [], about);
      return fail({
        ...about,
        text: `${label} has a driver but has not started${said.length > 0 ? ", because its firmware is missing" : ""}.`,
        evidence: [{ source: `${path}/driver`, value: name }, { source: controllerGlob, value: "no controller" }, ...logEvidences(said)],
        remedy: {
          text: "Install the adapter's firmware (on Talos an extension such as siderolabs/realtek-firmware, elsewhere linux-firmware), then plug it in again.",
          linux: ["apt install firmware-realtek firmware-mediatek firmware-iwlwifi"],
        },
      });
    });
  },
};

const rfkill = "/sys/class/rfkill";

/** Switches of Bluetooth that are off. */
function blocked(facts: Facts): readonly { readonly path: string; readonly state: "soft" | "hard" }[] {
  return bluetoothSwitches(facts).flatMap((path) =>
    (["hard", "soft"] as const).flatMap((state) => (valueOf(facts.file(`${path}/${state}`)) === "1" ? [{ path, state }] : [])).slice(0, 1),
  );
}

function bluetoothSwitches(facts: Facts): readonly string[] {
  return facts
    .paths(`${rfkill}/*/type`)
    .flatMap((path) => (valueOf(facts.file(path)) === "bluetooth" ? [path.slice(0, -"/type".length)] : []));
}

const switches: Check = {
  id: "BLE-04",
  level: "fail",
  title: "Bluetooth is not switched off",
  source: "Linux Documentation/ABI/stable/sysfs-class-rfkill",
  reads: ["type", "soft", "hard", "name"].map((name) => `${rfkill}/*/${name}`),
  judge(facts) {
    const all = bluetoothSwitches(facts);
    if (all.length === 0) return "no Bluetooth adapter here has a switch";
    const off = new Map(blocked(facts).map((each) => [each.path, each.state]));
    return all.map((path) => {
      const name = valueOf(facts.file(`${path}/name`)) ?? path.slice(rfkill.length + 1);
      const about = { subject: name };
      const evidence = ["soft", "hard"].map((state) => evidenceOf(`${path}/${state}`, facts.file(`${path}/${state}`)));
      const state = off.get(path);
      if (state === undefined) {
        const hidden = ["soft", "hard"].map((each) => `${path}/${each}`).find((file) => facts.file(file).state !== "read");
        if (hidden !== undefined)
          return unknown(`Whether ${name} is switched off cannot be told: ${hidden} cannot be read.`, evidence, about);
        return pass(`${name} is not switched off.`, evidence, about);
      }
      return fail({
        ...about,
        text: state === "hard" ? `${name} is switched off by a switch or key of the machine.` : `${name} is switched off by software.`,
        evidence,
        remedy:
          state === "hard"
            ? { text: "Move the switch or press the key for wireless on the machine, or allow Bluetooth in its firmware (BIOS)." }
            : { text: "Allow Bluetooth again.", linux: [`echo 0 > ${path}/soft`] },
      });
    });
  },
};

const power: Check = {
  id: "BLE-05",
  level: "fail",
  title: "Bluetooth adapters are on",
  source: "BlueZ doc/org.bluez.Adapter.rst, Powered",
  reads: switches.reads,
  judge(facts) {
    const { bluez } = facts;
    if (bluez.state === "absent") return "no BlueZ is running here";
    if (bluez.state === "unreadable") return [unknown(`Whether Bluetooth adapters are on cannot be told: ${bluez.why}.`)];
    if (bluez.value.adapters.length === 0) return "BlueZ has no adapter";
    const isBlocked = blocked(facts).length > 0;
    return bluez.value.adapters.map(({ name, powered }) => {
      const evidence = [{ source: `org.bluez /org/bluez/${name} Powered`, value: String(powered) }];
      if (powered === true) return pass(`${name} is on.`, evidence, { subject: name });
      if (powered === undefined) return unknown(`Whether ${name} is on cannot be told: BlueZ does not say.`, evidence, { subject: name });
      return fail({
        subject: name,
        text: isBlocked ? `${name} is off, because it is switched off (BLE-04).` : `${name} is there but off.`,
        evidence,
        remedy: {
          text: isBlocked ? "Allow Bluetooth first, then switch the adapter on." : "Switch the adapter on; what uses it usually can.",
          linux: ["bluetoothctl power on"],
        },
      });
    });
  },
};

const controllersGlob = `${bluetooth}/hci*`;

const manager: Check = {
  id: "BLE-06",
  // Programs may also drive a controller themselves, over an HCI socket.
  level: "warning",
  title: "BlueZ manages the Bluetooth adapters",
  source: "BlueZ on the D-Bus; Talos has neither",
  reads: [controllersGlob],
  judge(facts) {
    // Connections, such as hci0:64, are members of the same class.
    const controllers = facts.paths(controllersGlob).filter((path) => /\/hci\d+$/.test(path));
    if (controllers.length === 0) return "no Bluetooth controller is here";
    const { bluez } = facts;
    const names = controllers.map((path) => path.slice(path.lastIndexOf("/") + 1)).join(", ");
    if (bluez.state === "read")
      return [pass("BlueZ is running.", [{ source: "org.bluez", value: `${bluez.value.adapters.length} adapters` }])];
    if (bluez.state === "unreadable") return [unknown(`Whether BlueZ is running cannot be told: ${bluez.why}.`)];
    return [
      fail({
        text: `No BlueZ manages ${names}, so programs that want Bluetooth find none.`,
        evidence: [{ source: "/run/dbus/system_bus_socket", value: "no org.bluez" }],
        remedy: {
          text: "Run BlueZ: on Talos as a pod with D-Bus that shares /run/dbus with the host, elsewhere as a service.",
          linux: ["apt install bluez", "systemctl enable --now bluetooth"],
        },
      }),
    ];
  },
};

const refusal: Check = {
  id: "BLE-07",
  level: "warning",
  title: "D-Bus lets aerial in",
  source: "D-Bus Specification, Authentication Protocol: EXTERNAL; home-assistant/core#76429",
  reads: [],
  judge({ bluez }) {
    if (bluez.state === "absent") return "no BlueZ is running here";
    if (bluez.state === "read") return [pass("D-Bus lets aerial in.")];
    const evidence = [{ source: "/run/dbus/system_bus_socket", value: bluez.why }];
    if (!/refuses|rejected|AccessDenied/i.test(bluez.why)) return [unknown(`What BlueZ says cannot be told: ${bluez.why}.`, evidence)];
    return [
      fail({
        text: "D-Bus refuses aerial, so nothing is known of Bluetooth adapters but their names.",
        evidence,
        remedy: {
          text: "Run aerial under the same user id as the bus knows it by (as root, and not in a user namespace), or allow it in the bus' policy.",
        },
      }),
    ];
  },
};

const treeStatus = "/proc/device-tree/*/*/bluetooth/status";

const overlay: Check = {
  id: "BLE-08",
  // Talos' image for the Raspberry Pi comes so: good to know, and no fault.
  level: "info",
  title: "The board's own Bluetooth is on",
  source: "siderolabs/sbc-raspberrypi: its config.txt has dtoverlay=disable-bt; Devicetree Specification §2.3.4",
  reads: [treeStatus],
  judge(facts) {
    const found = facts.paths(treeStatus);
    if (found.length === 0) return "this board has no Bluetooth that its device tree could switch off";
    return found.map((path) => {
      const status = facts.file(path);
      const evidence = [evidenceOf(path, status)];
      if (status.state !== "read")
        return unknown(`Whether the board's own Bluetooth is on cannot be told: ${whyNoFile(path, status)}.`, evidence);
      if (!status.value.startsWith("disabled")) return pass("The board's own Bluetooth is on.", evidence);
      return fail({
        text: "The board's own Bluetooth is switched off in its device tree.",
        evidence,
        remedy: {
          text: "If you want it: take dtoverlay=disable-bt out of config.txt; on Talos by an image whose overlay has its own configTxt. Its kernel must have Bluetooth too (BLE-01).",
        },
      });
    });
  },
};

export const bluetoothChecks: readonly Check[] = [inKernel, driver, firmware, switches, power, manager, refusal, overlay];
