/** USB devices as kernel objects: what usbcore, usb-serial, cdc_acm and btusb put into sysfs for a stick. */
import type { VirtualStick } from "../lab/lab.ts";
import type { KernelDevice } from "./kernel-objects.ts";
import { descriptorsOf, parseDescriptors, type UsbDescriptors, type UsbInterfaceDescriptor, type UsbTriple } from "./usb-descriptors.ts";

/** Where a USB device sits. */
export interface UsbPlace {
  /** sysfs path of what it is plugged into: `devices/pci0000:00/0000:00:14.0/usb1`, or a hub's. */
  readonly parent: string;
  readonly bus: number;
  /** `1` on the root hub, `5.2` behind the hub in port 5, `0` for the root hub itself. */
  readonly devicePath: string;
  readonly deviceNumber: number;
}

/** Hands out the numbers of ttys and Bluetooth controllers: the lowest that is free. */
export type TakeNumber = (prefix: "ttyUSB" | "ttyACM" | "hci") => number;

/** `ftdi_sio`'s usb-serial side carries the same name; ch341's does not (drivers/usb/serial/ch341.c). */
const serialDrivers: Partial<Record<VirtualStick["driver"], string>> = {
  cp210x: "cp210x",
  ch341: "ch341-uart",
  ftdi_sio: "ftdi_sio",
  pl2303: "pl2303",
};

/** Major numbers and the node of a tty: Documentation/admin-guide/devices.txt. */
const ttyMajors = { ttyUSB: 188, ttyACM: 166 } as const;

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
const upper = (value: number): string => hex(value, 2).toUpperCase();

/** sysfs path of a USB device: `…/usb1/1-5/1-5.2` for path `5.2` on bus 1. */
export function usbPath({ parent, bus, devicePath }: UsbPlace): string {
  return devicePath === "0" ? `${parent}/usb${bus}` : `${parent}/${bus}-${devicePath}`;
}

function interfacePath(place: UsbPlace, face: UsbInterfaceDescriptor): string {
  return `${usbPath(place)}/${place.bus}-${place.devicePath}:1.${face.number}`;
}

/** A stick in its place, with its interfaces and what their drivers make of them. */
export function stickDevice(stick: VirtualStick, place: UsbPlace, takeNumber: TakeNumber): KernelDevice {
  const descriptors = descriptorsOf(stick);
  const parsed = parseDescriptors(descriptors);
  const device = usbDevice({ stick, place, descriptors, parsed });
  const bound = boundInterfaces(stick, parsed.interfaces);
  const interfaces = parsed.interfaces.map((face): KernelDevice => {
    const input = { stick, place, parsed, face };
    if (!bound.has(face)) return usbInterface(input);
    return usbInterface(input, stick.driver, functionsOf(stick, { path: interfacePath(place, face), face }, takeNumber));
  });
  return { ...device, driver: "usb", children: interfaces };
}

/** The hub in a port: bound by `hub`, with no other function. `ports` is its number of ports. */
export function hubDevice(place: UsbPlace, ports: number): KernelDevice {
  const root = place.devicePath === "0";
  const stick: VirtualStick = {
    name: "hub",
    vendorId: root ? "1d6b" : "05e3",
    productId: root ? "0002" : "0608",
    release: root ? "0606" : "8537",
    ...(root ? { manufacturer: "Linux 6.6.0 xhci-hcd", serial: "0000:00:14.0" } : {}),
    product: root ? "xHCI Host Controller" : "USB2.0 Hub",
    driver: "none",
  };
  const hubClass = { class: 9, subclass: 0, protocol: 1 };
  const parsed: UsbDescriptors = {
    device: { ...hubClass, maxPacketSize: 64 },
    interfaces: [{ ...hubClass, protocol: 0, number: 0, endpoints: 1 }],
  };
  const descriptors = Uint8Array.from(descriptorsOf(stick));
  descriptors.set([9, 0, 1], 4);
  const device = usbDevice({ stick, place, descriptors, parsed });
  const face = parsed.interfaces[0];
  const children = face === undefined ? [] : [usbInterface({ stick, place, parsed, face }, "hub")];
  return { ...device, attributes: { ...device.attributes, maxchild: `${ports}\n` }, driver: "usb", children };
}

interface UsbDeviceInput {
  readonly stick: VirtualStick;
  readonly place: UsbPlace;
  readonly descriptors: Uint8Array;
  readonly parsed: UsbDescriptors;
}

function usbDevice({ stick, place, descriptors, parsed }: UsbDeviceInput): KernelDevice {
  const { device, interfaces } = parsed;
  const { bus, deviceNumber } = place;
  const strings = { manufacturer: stick.manufacturer, product: stick.product, serial: stick.serial };
  const attributes: Record<string, string | Uint8Array> = {
    idVendor: `${stick.vendorId}\n`,
    idProduct: `${stick.productId}\n`,
    bcdDevice: `${stick.release ?? "0100"}\n`,
    bDeviceClass: `${hex(device.class, 2)}\n`,
    bDeviceSubClass: `${hex(device.subclass, 2)}\n`,
    bDeviceProtocol: `${hex(device.protocol, 2)}\n`,
    bMaxPacketSize0: `${device.maxPacketSize}\n`,
    bNumConfigurations: "1\n",
    bConfigurationValue: "1\n",
    bNumInterfaces: `${String(interfaces.length).padStart(2)}\n`,
    bMaxPower: "100mA\n",
    bmAttributes: "80\n",
    authorized: "1\n",
    busnum: `${bus}\n`,
    devnum: `${deviceNumber}\n`,
    devpath: `${place.devicePath}\n`,
    maxchild: "0\n",
    removable: "removable\n",
    speed: "12\n",
    version: " 2.00\n",
    descriptors,
  };
  for (const [name, text] of Object.entries(strings)) if (text !== undefined) attributes[name] = `${toKernelString(text)}\n`;
  const threeDigits = (value: number): string => String(value).padStart(3, "0");
  const [busName, deviceName] = [threeDigits(bus), threeDigits(deviceNumber)];
  return {
    path: usbPath(place),
    subsystem: { kind: "bus", name: "usb" },
    attributes,
    variables: { DEVTYPE: "usb_device", ...productVariables(stick, device), BUSNUM: busName, DEVNUM: deviceName },
    node: { path: `bus/usb/${busName}/${deviceName}`, major: 189, minor: (bus - 1) * 128 + deviceNumber - 1 },
  };
}

interface UsbInterfaceInput {
  readonly stick: VirtualStick;
  readonly place: UsbPlace;
  readonly parsed: UsbDescriptors;
  readonly face: UsbInterfaceDescriptor;
}

function usbInterface(
  { stick, place, parsed, face }: UsbInterfaceInput,
  driver?: string,
  children: readonly KernelDevice[] = [],
): KernelDevice {
  const { device } = parsed;
  const modalias =
    `usb:v${stick.vendorId.toUpperCase()}p${stick.productId.toUpperCase()}d${(stick.release ?? "0100").toUpperCase()}` +
    `dc${upper(device.class)}dsc${upper(device.subclass)}dp${upper(device.protocol)}` +
    `ic${upper(face.class)}isc${upper(face.subclass)}ip${upper(face.protocol)}in${upper(face.number)}`;
  return {
    path: interfacePath(place, face),
    subsystem: { kind: "bus", name: "usb" },
    attributes: {
      bInterfaceNumber: `${hex(face.number, 2)}\n`,
      bAlternateSetting: " 0\n",
      bNumEndpoints: `${hex(face.endpoints, 2)}\n`,
      bInterfaceClass: `${hex(face.class, 2)}\n`,
      bInterfaceSubClass: `${hex(face.subclass, 2)}\n`,
      bInterfaceProtocol: `${hex(face.protocol, 2)}\n`,
      authorized: "1\n",
      modalias: `${modalias}\n`,
    },
    variables: {
      DEVTYPE: "usb_interface",
      ...productVariables(stick, device),
      INTERFACE: `${face.class}/${face.subclass}/${face.protocol}`,
      MODALIAS: modalias,
    },
    ...(driver === undefined ? {} : { driver }),
    children,
  };
}

/** As usb_uevent() in drivers/usb/core/driver.c writes them: hex without leading zeros, decimal classes. */
function productVariables(stick: VirtualStick, device: UsbTriple): Record<string, string> {
  const ids = [stick.vendorId, stick.productId, stick.release ?? "0100"].map((each) => Number.parseInt(each, 16).toString(16));
  return { PRODUCT: ids.join("/"), TYPE: `${device.class}/${device.subclass}/${device.protocol}` };
}

/** The interfaces that the stick's driver takes: all, but of others' functions (a debug probe's disk) none. */
function boundInterfaces(stick: VirtualStick, interfaces: readonly UsbInterfaceDescriptor[]): ReadonlySet<UsbInterfaceDescriptor> {
  if (stick.driver === "none") return new Set();
  if (stick.driver === "cdc_acm") return new Set(interfaces.filter((each) => each.class === 0x02 || each.class === 0x0a));
  if (stick.driver === "btusb") return new Set(interfaces.filter((each) => each.class === 0xe0));
  return new Set(interfaces.slice(0, stick.ports ?? 1));
}

interface BoundInterface {
  readonly path: string;
  readonly face: UsbInterfaceDescriptor;
}

function functionsOf(stick: VirtualStick, bound: BoundInterface, takeNumber: TakeNumber): KernelDevice[] {
  const { path, face } = bound;
  if (stick.driver === "cdc_acm") {
    return face.class === 0x02 && face.subclass === 0x02 ? [ttyDevice("ttyACM", path, takeNumber("ttyACM"))] : [];
  }
  if (stick.driver === "btusb") return face.number === 0 ? [bluetoothDevice(path, takeNumber("hci"))] : [];
  const driver = serialDrivers[stick.driver];
  if (driver === undefined) return [];
  const number = takeNumber("ttyUSB");
  const port = `${path}/ttyUSB${number}`;
  return [
    {
      path: port,
      subsystem: { kind: "bus", name: "usb-serial" },
      driver,
      attributes: { port_number: "0\n" },
      children: [ttyDevice("ttyUSB", port, number)],
    },
  ];
}

function ttyDevice(prefix: "ttyUSB" | "ttyACM", parent: string, number: number): KernelDevice {
  const name = `${prefix}${number}`;
  return {
    path: `${parent}/tty/${name}`,
    subsystem: { kind: "class", name: "tty" },
    links: { device: parent },
    node: { path: name, major: ttyMajors[prefix], minor: number },
  };
}

/** A Bluetooth controller below `parent` (net/bluetooth/hci_sysfs.c). */
export function bluetoothDevice(parent: string, number: number): KernelDevice {
  return {
    path: `${parent}/bluetooth/hci${number}`,
    subsystem: { kind: "class", name: "bluetooth" },
    // What hangs on no real device (hci_vhci) is below devices/virtual and has no `device`.
    ...(parent === "devices/virtual" ? {} : { links: { device: parent } }),
    variables: { DEVTYPE: "host" },
  };
}

/** A string descriptor as usbcore caches it: at most 126 UTF-16 units, up to the first NUL, lone surrogates left out, as UTF-8. */
function toKernelString(text: string): string {
  const units = text.slice(0, 126).split("\u0000", 1)[0] ?? "";
  return units.replaceAll(/\p{Cs}/gu, "");
}
