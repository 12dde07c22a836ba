/**
 * The USB as sysfs shows it: which device sits in which port of which hub (kernel: Documentation/ABI/testing/sysfs-bus-usb,
 * drivers/usb/core/port.c for the names of ports).
 */
import { valueOf } from "../../core/reading.ts";
import type { Facts } from "../../core/check.ts";

const devices = "/sys/bus/usb/devices";

/** What `readUsbTree` asks for. */
export const usbTreeReads: readonly string[] = [
  "idVendor",
  "idProduct",
  "bDeviceClass",
  "bInterfaceClass",
  "bInterfaceSubClass",
  "bInterfaceProtocol",
].map((name) => `${devices}/*/${name}`);

interface UsbTreeInterface {
  /** `/sys/bus/usb/devices/1-1:1.0`. */
  readonly path: string;
  /** `class/subclass/protocol`: `e0/01/01`. */
  readonly classCode: string;
}

export interface UsbTreeDevice {
  /** `1-1.2`, the kernel's port path; `usb1` for a root hub. */
  readonly port: string;
  /** `/sys/bus/usb/devices/1-1.2`. */
  readonly path: string;
  readonly vendorId: string;
  readonly productId: string;
  readonly isHub: boolean;
  /** The hub it is plugged into; absent for root hubs. */
  readonly hub?: string;
  readonly interfaces: readonly UsbTreeInterface[];
}

/** All devices by port, hubs and root hubs among them. */
export function readUsbTree(facts: Facts): ReadonlyMap<string, UsbTreeDevice> {
  const interfaces = readInterfaces(facts);
  const found = new Map<string, UsbTreeDevice>();
  for (const path of facts.paths(`${devices}/*/idVendor`)) {
    const port = path.split("/").at(-2) ?? "";
    const read = (name: string): string => valueOf(facts.file(`${devices}/${port}/${name}`)) ?? "";
    const hub = hubOf(port);
    found.set(port, {
      port,
      path: `${devices}/${port}`,
      vendorId: read("idVendor"),
      productId: read("idProduct"),
      // USB 2.0 §11.23.1.
      isHub: read("bDeviceClass") === "09",
      ...(hub !== undefined && { hub }),
      interfaces: interfaces.get(port) ?? [],
    });
  }
  return found;
}

function readInterfaces(facts: Facts): ReadonlyMap<string, readonly UsbTreeInterface[]> {
  const found = new Map<string, UsbTreeInterface[]>();
  for (const file of facts.paths(`${devices}/*/bInterfaceClass`)) {
    const path = file.slice(0, file.lastIndexOf("/"));
    const [port = ""] = path.slice(devices.length + 1).split(":");
    const classCode = ["bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"]
      .map((name) => valueOf(facts.file(`${path}/${name}`)) ?? "??")
      .join("/");
    // A root hub's interface is called `1-0:1.0`.
    const owner = port.endsWith("-0") ? `usb${port.slice(0, -2)}` : port;
    found.set(owner, [...(found.get(owner) ?? []), { path, classCode }]);
  }
  return found;
}

/** `1-1.2` hangs on `1-1`, `1-1` on `usb1`; undefined for root hubs and for what is no port path. */
export function hubOf(port: string): string | undefined {
  const [, bus, ports = ""] = /^(\d+)-(\d+(?:\.\d+)*)$/.exec(port) ?? [];
  if (bus === undefined) return undefined;
  const end = ports.lastIndexOf(".");
  return end < 0 ? `usb${bus}` : `${bus}-${ports.slice(0, end)}`;
}

/** The hubs between a port and its bus, nearest first, without the root hub. */
export function hubsAbove(port: string): readonly string[] {
  const hub = hubOf(port);
  return hub === undefined || hub.startsWith("usb") ? [] : [hub, ...hubsAbove(hub)];
}

/** The port path behind the kernel's name of a port: `usb1-port3` is `1-3`, `1-1-port2` is `1-1.2`. */
export function portNamed(name: string): string | undefined {
  const [, bus, root] = /^usb(\d+)-port(\d+)$/.exec(name) ?? [];
  if (bus !== undefined) return `${bus}-${root ?? ""}`;
  const [, hub, below] = /^(\d+-\d+(?:\.\d+)*)-port(\d+)$/.exec(name) ?? [];
  return hub === undefined ? undefined : `${hub}.${below ?? ""}`;
}
