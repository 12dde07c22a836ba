/** Finding one's way in sysfs: from a class device up to the hardware it belongs to. */
import { dirname } from "node:path";
import type { DeviceNode, PlatformFacts } from "../core/device.ts";
import type { DeviceNodes } from "../host/device-nodes.ts";
import { decodePrintable } from "../host/decode-text.ts";
import type { Sysfs } from "../host/sysfs.ts";

/** What a scan reads from. */
export interface Tree {
  readonly sysfs: Sysfs;
  readonly nodes: DeviceNodes;
}

/** A member of a sysfs class, such as `class/tty/ttyUSB0`. */
export interface ClassDevice {
  readonly name: string;
  /** Canonical. */
  readonly path: string;
  /** The hardware behind it, canonical; virtual devices have none. */
  readonly device?: string;
}

/** The members of class `name` that match `pattern`; none where the kernel has no such class. */
export function listClass(sysfs: Sysfs, name: string, pattern: RegExp): readonly ClassDevice[] {
  return sysfs
    .list(`class/${name}`)
    .filter((member) => pattern.test(member))
    .flatMap((member) => {
      const path = sysfs.resolve(`class/${name}/${member}`);
      if (path === undefined) return [];
      const device = sysfs.resolve(`${path}/device`);
      return [{ name: member, path, ...(device === undefined ? {} : { device }) }];
    });
}

/** `path` and the directories above it, innermost first, up to and without `devices`. */
function withAncestors(path: string): readonly string[] {
  const found: string[] = [];
  for (let at = path; at !== "." && at !== "devices" && at !== "/"; at = dirname(at)) found.push(at);
  return found;
}

/** The node of a device at `path` that has a `dev` attribute; `name` is below `/dev`. `missing` unless both sides have it. */
export function readNodes(tree: Tree, path: string, name: string): readonly DeviceNode[] | "missing" {
  const numbers = /^(\d{1,4}):(\d{1,7})$/.exec(tree.sysfs.text(`${path}/dev`) ?? "");
  if (numbers === null || !tree.nodes.has(name)) return "missing";
  return [{ path: `/dev/${name}`, major: Number(numbers[1]), minor: Number(numbers[2]) }];
}

/** sysfs writes `/` in a kernel name as `!` (lib/kobject.c). */
export function toNodeName(kernelName: string): string {
  return kernelName.replaceAll("!", "/");
}

/**
 * The hardware behind a serial port: since Linux 6.5 a controller and a port of the bus `serial-base` stand
 * between the tty and its hardware (drivers/tty/serial/serial_base_bus.c).
 */
export function skipSerialBase(sysfs: Sysfs, device: string): string {
  return withAncestors(device).find((path) => sysfs.linkName(`${path}/subsystem`) !== "serial-base") ?? device;
}

/** The driver bound to a device. */
export function readDriver(sysfs: Sysfs, device: string): string | undefined {
  return sysfs.linkName(`${device}/driver`);
}

/** What the device tree says of a built-in device and its board; undefined where there is no device tree. */
export function readPlatform(sysfs: Sysfs, device: string | undefined): PlatformFacts | undefined {
  const board = splitStrings(sysfs.bytes("firmware/devicetree/base/model"))[0];
  const compatible = device === undefined ? [] : splitStrings(sysfs.bytes(`${device}/of_node/compatible`));
  if (board === undefined && compatible.length === 0) return undefined;
  return { compatible, ...(board === undefined ? {} : { board }) };
}

/** Device-tree strings end in a zero byte each (Devicetree Specification §2.2.4). */
function splitStrings(bytes: Uint8Array | undefined): readonly string[] {
  if (bytes === undefined) return [];
  return Buffer.from(bytes)
    .toString("latin1")
    .split("\0")
    .filter((part) => part !== "")
    .map((part) => decodePrintable(Buffer.from(part, "latin1")));
}
