/** Where a device comes from, as far as stable ids and recognition need it. Pure. */
import type { Device, DeviceFunction, NetworkFacts, UsbFacts } from "../core/device.ts";
import { realSerial } from "./serial-numbers.ts";

/** A USB port, or the fixed path of something built in. */
export interface Place {
  /** sysfs path of the USB host controller, which outlives a renumbering of buses; empty for what is not on USB. */
  readonly controller: string;
  /** The port path (`1-1.2`), or what stands for it: `spi0.0`, `devices/platform/soc/fe201000.serial`, `slzb-06.local:6638`. */
  readonly port: string;
}

export interface Origin {
  /** `10c4-ea60` for USB devices, else the device's function. */
  readonly family: string;
  /** The serial number, if it is real. */
  readonly serial?: string;
  /** Which of several functions of one stick: `if01`; empty for the first or only one. */
  readonly lane: string;
  readonly place: Place;
}

/**
 * The origin of every device of a scan, by sysfs path. Devices are taken together because ports that share one
 * interface and tell nothing else apart are numbered in the order of their sysfs paths.
 */
export function toOrigins(devices: readonly Device[]): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>();
  const taken = new Set<string>();
  for (const device of [...devices].sort((left, right) => compareNaturally(left.sysPath, right.sysPath))) {
    const origin = toOrigin(device);
    const at = (lane: string): string => JSON.stringify([groupKey({ ...origin, lane }), origin.place]);
    let { lane } = origin;
    for (let number = 2; taken.has(at(lane)); number += 1) lane = `${origin.lane}n${number}`;
    taken.add(at(lane));
    origins.set(device.sysPath, { ...origin, lane });
  }
  return origins;
}

/** Devices of the same group can't be told apart by what they say of themselves. */
export function groupKey(origin: Origin): string {
  return JSON.stringify([origin.family, origin.serial ?? "", origin.lane]);
}

/**
 * How well two places agree: 3 the same port, 2 the same port of a controller whose bus was renumbered, 1 the same
 * port path under a controller that the kernel now names differently, 0 not.
 */
export function nearness(left: Place, right: Place): 0 | 1 | 2 | 3 {
  if (left.controller === right.controller) {
    if (left.port === right.port) return 3;
    return left.controller !== "" && portChain(left.port) === portChain(right.port) ? 2 : 0;
  }
  return left.port === right.port ? 1 : 0;
}

/** Order of text in which numbers count as numbers; a total order, the same in every locale. */
export function compareNaturally(left: string, right: string): number {
  return collator.compare(left, right) || (left < right ? -1 : Number(left > right));
}

const collator = new Intl.Collator("en", { numeric: true });

function toOrigin(device: Device): Origin {
  const { usb, network } = device;
  if (network !== undefined) return toNetworkOrigin(network);
  if (usb === undefined) return { family: device.function, lane: "", place: { controller: "", port: builtInPath(device) } };
  const serial = realSerial(usb.serial, usb);
  return {
    family: `${usb.vendorId}-${usb.productId}`,
    ...(serial === undefined ? {} : { serial }),
    lane: laneOf(usb, device.byId),
    place: { controller: controllerOf(device.sysPath), port: usb.port },
  };
}

/** A box may hold several radios, of which only the port tells one from the other. */
function toNetworkOrigin({ host, port, serial, mac }: NetworkFacts): Origin {
  const place: Place = { controller: "", port: `${host.toLowerCase()}:${port}` };
  const own = realSerial(serial);
  if (own !== undefined) return { family: "network", serial: own, lane: "", place };
  const box = realSerial(mac);
  return box === undefined ? { family: "network", lane: "", place } : { family: "network", serial: box, lane: `p${port}`, place };
}

/** Interface 0 and "the whole device" are one lane: a stick is the same before and after its driver is loaded. */
function laneOf(usb: UsbFacts, byId: string | undefined): string {
  const { interfaceNumber = 0 } = usb;
  const lane = interfaceNumber === 0 ? "" : `if${interfaceNumber.toString(16).padStart(2, "0")}`;
  const port = byId === undefined ? undefined : /-port(\d{1,2})$/.exec(byId)?.[1];
  return port === undefined || Number(port) === 0 ? lane : `${lane}p${Number(port)}`;
}

function controllerOf(sysPath: string): string {
  return /^(.*?)\/usb\d+(?:\/|$)/.exec(sysPath)?.[1] ?? "";
}

function portChain(port: string): string {
  return port.replace(/^\d+-/, "");
}

/** Names that the kernel counts up, or that people may change, come off the end of the path. */
const ownName: Partial<Record<DeviceFunction, RegExp>> = {
  wifi: /\/ieee80211\/[^/]+$/,
  ieee802154: /\/ieee802154\/[^/]+$/,
  bluetooth: /\/bluetooth\/[^/]+$/,
  serial: /\/tty\/[^/]+$/,
};

/** Where nothing but that name tells siblings apart, it has to stay. */
const sharedParent = /^devices\/virtual$|\/serial8250$/;

function builtInPath({ function: deviceFunction, sysPath }: Device): string {
  if (deviceFunction === "spi") return /\/spidev(\d+\.\d+)$/.exec(sysPath)?.[1] ?? sysPath;
  const ending = ownName[deviceFunction];
  const parent = ending === undefined ? sysPath : sysPath.replace(ending, "");
  if (sharedParent.test(parent)) return sysPath;
  // Since Linux 6.6 a UART's path has its serial-core controller and port as well: …/fe201000.serial:0/fe201000.serial:0.0
  const core = /^(.*)\/([^/]+):(\d+)\/\2:\3\.(\d+)$/.exec(parent);
  if (core === null) return parent;
  const [, port = "", , controller = "0", line = "0"] = core;
  return controller === "0" && line === "0" ? port : `${port}:${controller}.${line}`;
}
