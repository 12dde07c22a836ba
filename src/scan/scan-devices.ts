/** One whole scan: everything sysfs and `/dev` agree on, now. */
import type { Device } from "../core/device.ts";
import type { Clock } from "../core/clock.ts";
import { timestamp } from "../core/clock.ts";
import type { Host } from "../host/host.ts";
import { AerialError } from "../core/errors.ts";
import { findHidNodes } from "./companion-nodes.ts";
import type { FoundFunction } from "./functions.ts";
import { findBluetooth, findIeee802154, findWifi } from "./kernel-radios.ts";
import type { BlindSpot, Scan } from "./scan.ts";
import { findSerialPorts, findSpiDevices } from "./serial.ts";
import { readDriver, readNodes, readPlatform, type Tree } from "./tree.ts";
import { atInterface, byIdOf, createUsbReader, findUsbPlace, isHub, type UsbReader } from "./usb.ts";

/**
 * Reads the whole truth, in an order that depends on it alone. What vanishes meanwhile is left out, and so is a USB
 * device that the kernel keeps locked. Throws `host.read` when there is no sysfs at all or descriptors or memory run
 * out: then nothing may be concluded from what is missing.
 */
export async function scanDevices(host: Host, clock: Clock): Promise<Scan> {
  const denied = new Set<string>();
  const busy = new Set<string>();
  const deny = (path: string): void => void denied.add(path);
  const sysfs = host.sysfs(deny);
  if (sysfs.list("class").length === 0) throw new AerialError("host.read", `no sysfs at ${host.paths.sys}`);
  const tree: Tree = { sysfs, nodes: host.deviceNodes() };
  const readUsb = createUsbReader({ sysfs, strings: host.usbStrings, denied: deny });

  const found = [
    ...findSerialPorts(tree),
    ...findSpiDevices(tree),
    ...findBluetooth(sysfs, () => host.bluetoothAddresses()),
    ...(await findWifi(sysfs, host.wifiModes)),
    ...findIeee802154(sysfs),
  ];
  const context: Context = { tree, readUsb, busy };
  const functions = (await Promise.all(found.map((one) => toDevice(context, one)))).filter(isPresent);
  const taken = new Set(found.flatMap((one) => findUsbPlace(one.at.path)?.devicePath ?? []));
  const others = (await Promise.all(listUsbDevices(tree, taken).map((path) => toUsbDevice(context, path)))).filter(isPresent);

  return {
    at: timestamp(clock),
    devices: [...functions, ...others].toSorted((a, b) => (a.sysPath < b.sysPath ? -1 : 1)),
    blindSpots: blindSpotsOf({ host, tree, denied, busy }),
  };
}

interface Context {
  readonly tree: Tree;
  readonly readUsb: UsbReader;
  /** Gets the port of each USB device that the kernel keeps locked. */
  readonly busy: Set<string>;
}

async function toDevice(context: Context, found: FoundFunction): Promise<Device | undefined> {
  const { sysfs } = context.tree;
  if (found.nodes === "missing") return undefined;
  const base = { sysPath: found.at.path, function: found.function, nodes: found.nodes, ...found.facts };
  const place = findUsbPlace(found.at.path);
  if (place === undefined) {
    const driver = found.at.device === undefined ? undefined : readDriver(sysfs, found.at.device);
    const platform = readPlatform(sysfs, found.at.device);
    return { ...base, ...(driver === undefined ? {} : { driver }), ...(platform === undefined ? {} : { platform }) };
  }
  const device = await readUsbOrNote(context, place.devicePath);
  if (device === undefined) return undefined;
  const usb = atInterface(sysfs, device.facts, place);
  // The interface's driver, not the usb-serial one: those are named differently for some chips.
  const driver = usb.interfaces.find(({ number }) => usb.interfaceNumber === undefined || number === usb.interfaceNumber)?.driver;
  const byId = /^tty(USB|ACM)\d/.test(found.at.name) ? byIdOf(device, usb, found.port) : undefined;
  return { ...base, usb, ...(driver === undefined ? {} : { driver }), ...(byId === undefined ? {} : { byId }) };
}

/** USB devices, without hubs, that none of `taken` is. */
function listUsbDevices(tree: Tree, taken: ReadonlySet<string>): readonly string[] {
  return tree.sysfs
    .list("bus/usb/devices")
    .filter((name) => /^\d+-[\d.]+$/.test(name))
    .flatMap((name) => tree.sysfs.resolve(`bus/usb/devices/${name}`) ?? [])
    .filter((path) => !taken.has(path) && !isHub(tree.sysfs, path));
}

async function toUsbDevice(context: Context, path: string): Promise<Device | undefined> {
  const device = await readUsbOrNote(context, path);
  if (device === undefined) return undefined;
  const { facts } = device;
  const driver = facts.interfaces.find((one) => one.driver !== undefined)?.driver;
  const raw = readNodes(context.tree, path, `bus/usb/${pad3(facts.busNumber)}/${pad3(facts.deviceNumber)}`);
  const hid = findHidNodes(context.tree, path);
  // What is nothing but HID is spoken to as such.
  const isHid = hid.length > 0 && facts.interfaces.every(({ classCode }) => classCode.startsWith("03/"));
  const nodes = [...(isHid ? hid : []), ...(raw === "missing" ? [] : raw), ...(isHid ? [] : hid)];
  return {
    sysPath: path,
    function: "usb",
    nodes,
    usb: facts,
    ...(driver === undefined ? {} : { driver }),
  };
}

async function readUsbOrNote(context: Context, path: string): Promise<Exclude<Awaited<ReturnType<UsbReader>>, string> | undefined> {
  const device = await context.readUsb(path);
  if (typeof device !== "string") return device;
  if (device === "busy") context.busy.add(path.slice(path.lastIndexOf("/") + 1));
  return undefined;
}

interface Seen {
  readonly host: Host;
  readonly tree: Tree;
  readonly denied: ReadonlySet<string>;
  readonly busy: ReadonlySet<string>;
}

function blindSpotsOf({ host, tree, denied, busy }: Seen): readonly BlindSpot[] {
  const spots: BlindSpot[] = [];
  if (tree.sysfs.resolve("bus/usb/devices") === undefined) {
    spots.push({ what: "USB devices", why: "this kernel has no USB bus: no USB controller, or its module is not loaded" });
  }
  if (tree.nodes.unreadable !== undefined) spots.push({ what: "device nodes", why: tree.nodes.unreadable });
  const [first] = denied;
  if (first !== undefined) {
    const more = denied.size > 1 ? ` and ${denied.size - 1} more` : "";
    spots.push({ what: "parts of sysfs", why: `no permission to read ${host.paths.sys}/${first}${more}` });
  }
  for (const port of [...busy].toSorted()) {
    spots.push({ what: `USB device in port ${port}`, why: "the kernel is busy with it: it is being set up or does not answer" });
  }
  return spots;
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function pad3(number: number): string {
  return String(number).padStart(3, "0");
}
