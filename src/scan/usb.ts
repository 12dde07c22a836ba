/** USB devices and the interfaces that functions hang on. */
import type { UsbFacts, UsbInterface } from "../core/device.ts";
import { byIdName } from "../host/by-id-name.ts";
import { decodePrintable } from "../host/decode-text.ts";
import type { Sysfs } from "../host/sysfs.ts";
import type { UsbStringReader, UsbStrings } from "../host/usb-strings.ts";

/** Where on the USB a function hangs; paths are canonical. */
export interface UsbPlace {
  readonly devicePath: string;
  /** Absent when the function belongs to the whole device. */
  readonly interfacePath?: string;
}

/** A USB device as one scan sees it. */
export interface UsbDevice {
  /** Without `interfaceNumber`. */
  readonly facts: UsbFacts;
  readonly strings: UsbStrings;
}

/** Reads each USB device once a scan. `busy`: the kernel holds it; `gone`: it left while it was read. */
export type UsbReader = (devicePath: string) => Promise<UsbDevice | "busy" | "gone">;

export interface UsbReaderDeps {
  readonly sysfs: Sysfs;
  readonly strings: UsbStringReader;
  /** Gets each path that permissions keep from us. */
  readonly denied: (path: string) => void;
}

/** A reader for one scan. */
export function createUsbReader(deps: UsbReaderDeps): UsbReader {
  const read = new Map<string, Promise<UsbDevice | "busy" | "gone">>();
  return (devicePath) => {
    const device = read.get(devicePath) ?? readUsbDevice(deps, devicePath);
    read.set(devicePath, device);
    return device;
  };
}

/**
 * The innermost USB device that the canonical `path` lies in, told by the kernel's naming alone: devices are called
 * `<bus>-<port>[.<port>…]`, interfaces `<device>:<configuration>.<interface>` (drivers/usb/core/usb.c, message.c).
 */
export function findUsbPlace(path: string): UsbPlace | undefined {
  const found = /^(.*\/usb\d+\/(?:.*\/)?\d+-\d+(?:\.\d+)*)(\/\d+-[\d.]+:\d+\.\d+)?(?=\/|$)/.exec(path);
  const devicePath = found?.[1];
  if (devicePath === undefined) return undefined;
  return { devicePath, ...(found?.[2] === undefined ? {} : { interfacePath: devicePath + found[2] }) };
}

/** The facts for a function at `place`: the device's, and which interface it is. */
export function atInterface(sysfs: Sysfs, facts: UsbFacts, place: UsbPlace): UsbFacts {
  const number = place.interfacePath === undefined ? undefined : sysfs.number(`${place.interfacePath}/bInterfaceNumber`, 16);
  return number === undefined ? facts : { ...facts, interfaceNumber: number };
}

/** udev's by-id name for a serial port: `usb` says which interface, `port` is its number if its driver is a usb-serial one. */
export function byIdOf(device: UsbDevice, usb: UsbFacts, port: number | undefined): string | undefined {
  if (usb.interfaceNumber === undefined) return undefined;
  return byIdName({
    ...device.strings,
    vendorId: usb.vendorId,
    productId: usb.productId,
    interfaceNumber: usb.interfaceNumber.toString(16).padStart(2, "0"),
    ...(port === undefined ? {} : { port }),
  });
}

/** Hubs, root hubs among them, by device class 09 (USB 2.0 §11.23.1). */
export function isHub(sysfs: Sysfs, devicePath: string): boolean {
  return sysfs.number(`${devicePath}/bDeviceClass`, 16) === 0x09;
}

async function readUsbDevice(deps: UsbReaderDeps, path: string): Promise<UsbDevice | "busy" | "gone"> {
  const { sysfs } = deps;
  const vendorId = readHex4(sysfs, `${path}/idVendor`);
  const productId = readHex4(sysfs, `${path}/idProduct`);
  const busNumber = sysfs.number(`${path}/busnum`, 10);
  const deviceNumber = sysfs.number(`${path}/devnum`, 10);
  if (vendorId === undefined || productId === undefined || busNumber === undefined || deviceNumber === undefined) return "gone";
  const release = readHex4(sysfs, `${path}/bcdDevice`);
  const interfaces = readInterfaces(sysfs, path);
  // A device that is authorized later (Documentation/usb/authorization.rst) may show its strings only then.
  const enumeration = `${busNumber}.${deviceNumber} ${vendorId}:${productId} ${sysfs.text(`${path}/authorized`)}`;
  const strings = await deps.strings.read(path, enumeration, deps.denied);
  if (strings === "busy") return "busy";
  // Numbers and strings must be of one device: another may have taken its place meanwhile.
  if (sysfs.number(`${path}/devnum`, 10) !== deviceNumber) return "gone";
  const facts: UsbFacts = {
    vendorId,
    productId,
    ...(release === undefined ? {} : { release }),
    ...(strings.manufacturer === undefined ? {} : { manufacturer: decodePrintable(strings.manufacturer) }),
    ...(strings.product === undefined ? {} : { product: decodePrintable(strings.product) }),
    ...(strings.serial === undefined ? {} : { serial: decodePrintable(strings.serial) }),
    port: portOf(path),
    busNumber,
    deviceNumber,
    interfaces,
  };
  return { facts, strings };
}

function readInterfaces(sysfs: Sysfs, devicePath: string): readonly UsbInterface[] {
  return sysfs
    .list(devicePath)
    .map((name) => `${devicePath}/${name}`)
    .filter(isInterfacePath)
    .flatMap((path) => {
      const number = sysfs.number(`${path}/bInterfaceNumber`, 16);
      const codes = ["bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"].map((name) => sysfs.number(`${path}/${name}`, 16));
      if (number === undefined || codes.includes(undefined)) return [];
      const classCode = codes.map((code) => (code ?? 0).toString(16).padStart(2, "0")).join("/");
      const driver = sysfs.linkName(`${path}/driver`);
      return [{ number, classCode, ...(driver === undefined ? {} : { driver }) }];
    })
    .toSorted((a, b) => a.number - b.number);
}

/** Interfaces are named `<port>:<configuration>.<interface>`. */
function isInterfacePath(path: string): boolean {
  return /\/[0-9]+-[0-9.]+:[0-9]+\.[0-9]+$/.test(path);
}

function portOf(devicePath: string): string {
  return devicePath.slice(devicePath.lastIndexOf("/") + 1);
}

function readHex4(sysfs: Sysfs, path: string): string | undefined {
  const text = sysfs.text(path)?.toLowerCase();
  return text !== undefined && /^[0-9a-f]{4}$/.test(text) ? text : undefined;
}
