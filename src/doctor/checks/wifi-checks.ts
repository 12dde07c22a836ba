/** Whether Wi-Fi adapters work, and could be an access point for devices. */
import type { Check, Facts, FindingEvidence, Outcome, Reading } from "../../core/check.ts";
import type { Radio } from "../../core/radio.ts";
import { valueOf } from "../../core/reading.ts";
import { evidenceOf, fail, pass, unknown } from "../judge.ts";
import { radioLabel, whyNoFile } from "../read/evidence.ts";
import { logEvidences } from "../read/kernel-log.ts";
import { parseRoutes4 } from "../read/proc-net.ts";
import { readUsbTree, usbTreeReads } from "../read/usb-tree.ts";

const pci = "/sys/bus/pci/devices";
const usb = "/sys/bus/usb/devices";
const phys = "/sys/class/ieee80211";
const noAdapter = "no Wi-Fi adapter is here";

/** Network controller that is none of the others: what Wi-Fi cards are (PCI Code and ID Assignment, class 02, subclass 80). */
const wifiClass = "0x028000";

interface Adapter {
  readonly label: string;
  readonly about: Pick<Outcome, "subject" | "radioId">;
  /** Where a driver may be bound: the PCI device, or the interfaces of the USB device. */
  readonly places: readonly string[];
  readonly driver?: string;
  /** A card in the machine: nobody has plugged it in, and nobody may want it. */
  readonly isBuiltIn: boolean;
}

const adapterReads = [
  ...usbTreeReads,
  ...["class", "driver", "modalias"].map((name) => `${pci}/*/${name}`),
  ...["driver", "modalias"].map((name) => `${usb}/*/${name}`),
];

function adaptersOf(facts: Facts): readonly Adapter[] {
  const cards = facts.paths(`${pci}/*/class`).flatMap((path): Adapter[] => {
    if (valueOf(facts.file(path)) !== wifiClass) return [];
    const place = path.slice(0, -"/class".length);
    const slot = place.slice(pci.length + 1);
    return [
      { label: `The Wi-Fi card in slot ${slot}`, about: { subject: slot }, places: [place], ...boundTo(facts, [place]), isBuiltIn: true },
    ];
  });
  const tree = readUsbTree(facts);
  const sticks = facts.radios.flatMap((radio): Adapter[] => {
    const { presence, identity, device } = radio;
    const isWifi = identity.state === "identified" && identity.kinds.includes("wifi");
    if (presence !== "present" || device.usb === undefined || !isWifi) return [];
    const places = (tree.get(device.usb.port)?.interfaces ?? []).map(({ path }) => path);
    const about = { subject: radio.id, radioId: radio.id };
    return [{ label: `${radioLabel(radio)} in USB port ${device.usb.port}`, about, places, ...boundTo(facts, places), isBuiltIn: false }];
  });
  // Given to a virtual machine, or driven by a program.
  return [...cards, ...sticks].filter(({ driver }) => driver !== "vfio-pci" && driver !== "usbfs");
}

function boundTo(facts: Facts, places: readonly string[]): Pick<Adapter, "driver"> {
  const driver = places.map((place) => valueOf(facts.link(`${place}/driver`))).find((name) => name !== undefined);
  return driver === undefined ? {} : { driver };
}

/** Whether the kernel has Wi-Fi; undefined where nobody can tell. What is loaded counts, however the kernel was built. */
function hasWifi(facts: Facts): boolean | undefined {
  if (facts.paths(phys).length > 0) return true;
  const option = facts.kernelOption("CONFIG_CFG80211");
  return option.state === "unreadable" ? undefined : option.state === "read";
}

const inKernel: Check = {
  id: "WIFI-01",
  level: "fail",
  title: "The kernel has Wi-Fi",
  source: "siderolabs/talos#14224: Talos' kernel is built without CONFIG_WLAN; Linux net/wireless/Kconfig",
  reads: [...adapterReads, phys],
  judge(facts) {
    const adapters = adaptersOf(facts);
    if (adapters.length === 0) return noAdapter;
    const has = hasWifi(facts);
    const evidence = [evidenceOf("kernel option CONFIG_CFG80211", facts.kernelOption("CONFIG_CFG80211"))];
    if (has === true) return [pass("The kernel has Wi-Fi.", evidence)];
    if (has === undefined) return [unknown("Whether the kernel has Wi-Fi cannot be told: its configuration cannot be read.", evidence)];
    return adapters.map(({ label, about, isBuiltIn }) =>
      fail({
        ...about,
        ...(isBuiltIn && { level: "info" as const }),
        text: `${label} cannot be used: this kernel was built without Wi-Fi.`,
        evidence,
        remedy: { text: "Use an access point of its own, on the network by cable, or a kernel with Wi-Fi; no released Talos has one." },
      }),
    );
  },
};

const phyGlobs = [`${pci}/*/ieee80211/phy*`, `${usb}/*/ieee80211/phy*`];
const missingFirmware = /Direct firmware load for \S+ failed with error -2/;

const started: Check = {
  id: "WIFI-02",
  level: "fail",
  title: "Each Wi-Fi adapter has started",
  source: "Linux Documentation/ABI/stable/sysfs-class-ieee80211 and modules.alias of depmod(8)",
  reads: [...adapterReads, phys, ...phyGlobs, "/sys/module/*"],
  judge(facts) {
    if (hasWifi(facts) === false) return "the kernel has no Wi-Fi at all";
    const adapters = adaptersOf(facts);
    return adapters.length === 0 ? noAdapter : adapters.map((adapter) => judgeStarted(facts, adapter));
  },
};

function judgeStarted(facts: Facts, { label, about, places, driver, isBuiltIn }: Adapter): Outcome {
  const found = phyGlobs.flatMap((glob) => facts.paths(glob)).filter((phy) => places.some((place) => phy.startsWith(`${place}/`)));
  if (found.length > 0) return pass(`${label} is ${found.map((phy) => phy.slice(phy.lastIndexOf("/") + 1)).join(", ")}.`, [], about);
  const evidence = places.map((place) => evidenceOf(`${place}/driver`, facts.link(`${place}/driver`)));
  const weight = { ...about, ...(isBuiltIn && { level: "warning" as const }) };
  if (driver !== undefined) {
    const said = (valueOf(facts.kernelLog) ?? []).filter(({ text }) => missingFirmware.test(text) && text.includes(driver));
    return fail({
      ...weight,
      text: `${label} has the driver ${driver} but has not started${said.length > 0 ? ", because its firmware is missing" : ""}.`,
      evidence: [...evidence, ...logEvidences(said)],
      remedy: {
        text: "Install the adapter's firmware (Debian has it in firmware-* packages, others in linux-firmware), then start the machine again.",
        linux: ["dmesg | grep -i firmware"],
      },
    });
  }
  const modules = places.map((place) => moduleOf(facts, place));
  const module = modules.find(({ state }) => state === "read") ??
    modules.find(({ state }) => state === "unreadable") ?? { state: "absent" as const };
  if (module.state === "unreadable") return unknown(`Which driver ${label} needs cannot be told: ${module.why}.`, evidence, about);
  if (module.state === "absent") {
    return fail({
      ...weight,
      text: `${label} cannot be used: this machine has no driver for it.`,
      evidence,
      remedy: { text: "Use an adapter that this kernel has a driver for, or an access point of its own." },
    });
  }
  const isLoaded = facts.paths(`/sys/module/${module.value.replaceAll("-", "_")}`).length > 0;
  return fail({
    ...weight,
    text: isLoaded
      ? `The driver ${module.value} is loaded but has not taken ${label}.`
      : `${label} is not ready, because its driver ${module.value} is on this machine but not loaded.`,
    evidence,
    remedy: isLoaded
      ? { text: "Start the machine again; if that does not help, this driver does not get along with the adapter." }
      : {
          text: `Have the kernel module ${module.value} loaded at start.`,
          talos: [{ change: "module", name: module.value }],
          linux: [`modprobe ${module.value}`],
        },
  });
}

function moduleOf(facts: Facts, place: string): Reading<string> {
  const modalias = facts.file(`${place}/modalias`);
  return modalias.state === "read" ? facts.moduleFor(modalias.value) : modalias;
}

/** Radios that are Wi-Fi phys. */
function phyRadios({ radios }: Facts): readonly (Radio & { readonly wifi: NonNullable<Radio["device"]["wifi"]> })[] {
  return radios.flatMap((radio) => {
    const { wifi } = radio.device;
    return radio.presence === "present" && wifi !== undefined ? [Object.assign({ wifi }, radio)] : [];
  });
}

const accessPoint: Check = {
  id: "WIFI-03",
  // Few want one: good to know before it is bought for that.
  level: "info",
  title: "Wi-Fi can be an access point",
  source: "Linux include/uapi/linux/nl80211.h, NL80211_ATTR_SUPPORTED_IFTYPES",
  reads: [],
  judge(facts) {
    const radios = phyRadios(facts);
    if (radios.length === 0) return "no Wi-Fi is here that has started";
    return radios.map((radio) => {
      const about = { subject: radio.id, radioId: radio.id };
      const can = radio.wifi.accessPoint;
      const evidence: readonly FindingEvidence[] = [
        { source: `nl80211 ${radio.wifi.phy}`, value: can === undefined ? "not told" : can ? "lists AP" : "lists no AP" },
      ];
      if (can === undefined)
        return unknown(`Whether ${radioLabel(radio)} can be an access point cannot be told: nl80211 was not asked.`, evidence, about);
      if (can) return pass(`${radioLabel(radio)} can be an access point.`, evidence, about);
      return fail({
        ...about,
        text: `${radioLabel(radio)} cannot be an access point, only join one.`,
        evidence,
        remedy: {
          text: "If devices are to join this machine, use an adapter whose driver has AP mode (`iw list` says so), or an access point of its own.",
        },
      });
    });
  },
};

const regdom = "/sys/module/cfg80211/parameters/ieee80211_regdom";

const country: Check = {
  id: "WIFI-04",
  // Programs set it later too, which this file does not show.
  level: "info",
  title: "The country is set for Wi-Fi",
  source: "Linux net/wireless/reg.c, module parameter ieee80211_regdom",
  reads: [regdom],
  judge(facts) {
    if (phyRadios(facts).length === 0) return "no Wi-Fi is here that has started";
    const value = facts.file(regdom);
    const evidence = [evidenceOf(regdom, value)];
    if (value.state === "unreadable") return [unknown(`Which country is set cannot be told: ${value.why}.`, evidence)];
    if (value.state === "absent") return "this kernel has no such parameter";
    if (/^[A-Z]{2}$/.test(value.value)) return [pass(`The country is ${value.value}.`, evidence)];
    return [
      fail({
        text: "No country is set for Wi-Fi at start, so some channels stay closed to an access point until a program sets one.",
        evidence,
        remedy: {
          text: "Give cfg80211 your country: on Talos a KernelModuleConfig with the parameter ieee80211_regdom=XX, XX being its two letters.",
          linux: ["iw reg set XX  # your country's two letters"],
        },
      }),
    ];
  },
};

const net = "/sys/class/net";
const routes = "/proc/net/route";

const inUse: Check = {
  id: "WIFI-05",
  level: "info",
  title: "The machine does not use the Wi-Fi itself",
  source: "Linux Documentation/ABI/testing/sysfs-class-net; proc_pid_net(5)",
  reads: [`${net}/*/operstate`, `${net}/*/master`, routes],
  judge(facts) {
    const radios = phyRadios(facts);
    if (radios.length === 0) return "no Wi-Fi is here that has started";
    const table = facts.file(routes);
    if (table.state !== "read") return [unknown(`Whether the machine uses its Wi-Fi cannot be told: ${whyNoFile(routes, table)}.`)];
    const used = parseRoutes4(table.value);
    return radios.map((radio) => {
      const about = { subject: radio.id, radioId: radio.id };
      const reasons = radio.wifi.interfaces.flatMap((name) => {
        const route = used.find((each) => each.interface === name);
        const master = valueOf(facts.link(`${net}/${name}/master`));
        return [
          ...(route === undefined ? [] : [{ source: routes, value: route.line }]),
          ...(master === undefined ? [] : [{ source: `${net}/${name}/master`, value: master }]),
        ];
      });
      if (reasons.length === 0) return pass(`The machine does not use ${radioLabel(radio)} itself.`, [], about);
      return fail({
        ...about,
        text: `The machine itself uses ${radioLabel(radio)} for its network, so nothing else should.`,
        evidence: reasons,
        remedy: {
          text: "That is fine unless it was meant for an access point: then take the interface out of the machine's network configuration (on Talos its LinkConfig).",
        },
      });
    });
  },
};

export const wifiChecks: readonly Check[] = [inKernel, started, accessPoint, country, inUse];
