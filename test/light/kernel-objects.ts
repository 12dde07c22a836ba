/**
 * The kernel's device model on plain directories: what device_add() and device_del() (Linux drivers/base/core.c)
 * leave in sysfs and devtmpfs and say in uevents, in their order.
 */
import { mkdirSync, renameSync, rmdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

/** A device node as the kernel wants it: `bus/usb/001/004`, below `/dev`. */
interface KernelNode {
  readonly path: string;
  readonly major: number;
  readonly minor: number;
}

export interface KernelDevice {
  /** Below `/sys`: `devices/pci0000:00/…/tty/ttyUSB0`. */
  readonly path: string;
  readonly subsystem?: { readonly kind: "class" | "bus"; readonly name: string };
  /** Bound right after the device appears; its probe adds the children. */
  readonly driver?: string;
  /** Written as given: text attributes end in a newline in the real sysfs too. */
  readonly attributes?: Readonly<Record<string, string | Uint8Array>>;
  /** Link name to target, below `/sys`. */
  readonly links?: Readonly<Record<string, string>>;
  /** Variables of the uevent besides those that the driver core adds. */
  readonly variables?: Readonly<Record<string, string | number>>;
  readonly node?: KernelNode;
  readonly children?: readonly KernelDevice[];
}

export interface Uevent {
  readonly action: "add" | "remove" | "bind" | "unbind" | "change";
  /** DEVPATH: below `/sys`, with a leading slash. */
  readonly path: string;
  readonly variables: Readonly<Record<string, string | number>>;
}

/** What differs between a plain directory and a namespace with netlink and real nodes. */
export interface KernelHooks {
  /** The numbers that a node is going to have, where the stand-in for a driver cannot have those of the real one. */
  numberNode?(path: string, node: KernelNode): KernelNode;
  makeNode(path: string, node: KernelNode): void;
  removeNode(path: string): void;
  announce(uevent: Uevent): void;
}

export interface KernelObjects {
  /** Adds a device, binds its driver, adds its children. Throws on a path that is taken. */
  add(device: KernelDevice): void;
  /** Removes a device, children first; of each the node goes first. */
  remove(device: KernelDevice): void;
}

/** Stand-ins where nodes cannot be made: empty files, and nobody to tell. */
export const plainHooks: KernelHooks = {
  makeNode: (path) => writeFileSync(path, ""),
  removeNode: (path) => unlinkSync(path),
  announce: () => {},
};

/** The device model over the `sys` and `dev` directories below `root`, which are made where missing. */
export function createKernelObjects(root: string, hooks: KernelHooks = plainHooks): KernelObjects {
  const sys = join(root, "sys");
  const dev = join(root, "dev");
  // A reader of sysfs never sees half an attribute: whatever is written is made here and moved into place.
  const staging = join(sys, ".staging");
  mkdirSync(staging, { recursive: true });
  mkdirSync(dev, { recursive: true });
  let staged = 0;

  const stage = (): string => join(staging, String((staged += 1)));
  const link = (at: string, target: string): void => {
    const directory = dirname(join(sys, at));
    mkdirSync(directory, { recursive: true });
    // As kernfs does: by way of the target's parent, so that the last component is always the target's name.
    symlinkSync(join(relative(directory, dirname(join(sys, target))), basename(target)), join(sys, at));
  };
  const unlink = (at: string): void => unlinkSync(join(sys, at));
  const write = (at: string, content: string | Uint8Array): void => {
    const path = stage();
    writeFileSync(path, content);
    renameSync(path, join(sys, at));
  };

  const membership = (device: KernelDevice): string | undefined => {
    if (device.subsystem === undefined) return undefined;
    const { kind, name } = device.subsystem;
    return kind === "class" ? `class/${name}/${basename(device.path)}` : `bus/${name}/devices/${basename(device.path)}`;
  };

  const makeDirectory = (device: KernelDevice): void => {
    const path = stage();
    mkdirSync(path);
    for (const [name, content] of Object.entries(device.attributes ?? {})) writeFileSync(join(path, name), content);
    writeFileSync(join(path, "uevent"), toUeventFile(device, undefined));
    mkdirSync(dirname(join(sys, device.path)), { recursive: true });
    renameSync(path, join(sys, device.path));
  };

  const numbered = new Map<string, KernelNode>();

  const add = (wanted: KernelDevice): void => {
    const device = withNode(wanted, wanted.node && (hooks.numberNode?.(join(dev, wanted.node.path), wanted.node) ?? wanted.node));
    if (device.node !== undefined) numbered.set(device.path, device.node);
    makeDirectory(device);
    for (const [name, target] of Object.entries(device.links ?? {})) link(join(device.path, name), target);
    const { subsystem, node } = device;
    if (subsystem !== undefined) link(join(device.path, "subsystem"), `${subsystem.kind}/${subsystem.name}`);
    const member = membership(device);
    if (member !== undefined) link(member, device.path);
    if (node !== undefined) {
      write(join(device.path, "dev"), `${node.major}:${node.minor}\n`);
      link(`dev/char/${node.major}:${node.minor}`, device.path);
      mkdirSync(dirname(join(dev, node.path)), { recursive: true });
      hooks.makeNode(join(dev, node.path), node);
    }
    hooks.announce(toUevent("add", device, undefined));
    if (device.driver !== undefined && subsystem?.kind === "bus") {
      const driver = `bus/${subsystem.name}/drivers/${device.driver}`;
      mkdirSync(join(sys, driver), { recursive: true });
      link(join(driver, basename(device.path)), device.path);
      link(join(device.path, "driver"), driver);
      write(join(device.path, "uevent"), toUeventFile(device, device.driver));
    }
    for (const child of device.children ?? []) add(child);
    if (device.driver !== undefined) hooks.announce(toUevent("bind", device, device.driver));
  };

  const remove = (wanted: KernelDevice): void => {
    const device = withNode(wanted, numbered.get(wanted.path));
    numbered.delete(wanted.path);
    for (const child of (device.children ?? []).toReversed()) remove(child);
    const { subsystem, node } = device;
    if (node !== undefined) {
      hooks.removeNode(join(dev, node.path));
      unlink(`dev/char/${node.major}:${node.minor}`);
      unlink(join(device.path, "dev"));
    }
    const member = membership(device);
    if (member !== undefined) unlink(member);
    if (device.driver !== undefined && subsystem?.kind === "bus") {
      unlink(join(device.path, "driver"));
      unlink(`bus/${subsystem.name}/drivers/${device.driver}/${basename(device.path)}`);
      hooks.announce(toUevent("unbind", device, undefined));
    }
    const leaving = stage();
    renameSync(join(sys, device.path), leaving);
    rmSync(leaving, { recursive: true });
    if (subsystem?.kind === "class" && basename(dirname(device.path)) === subsystem.name) removeIfEmpty(dirname(join(sys, device.path)));
    hooks.announce(toUevent("remove", device, undefined));
  };

  return { add, remove };
}

function withNode(device: KernelDevice, node: KernelNode | undefined): KernelDevice {
  return node === undefined ? device : { ...device, node };
}

/** The directory that the driver core puts between a device and its class devices (`ttyUSB0/tty/`) goes with the last of them. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOTEMPTY")) throw error;
  }
}

/** Order as in dev_uevent(), drivers/base/core.c: node, DRIVER, then what the subsystem adds. */
function toVariables(device: KernelDevice, driver: string | undefined): Record<string, string | number> {
  const { node } = device;
  return {
    ...(node === undefined ? {} : { MAJOR: node.major, MINOR: node.minor, DEVNAME: node.path }),
    ...(driver === undefined ? {} : { DRIVER: driver }),
    ...device.variables,
  };
}

function toUeventFile(device: KernelDevice, driver: string | undefined): string {
  return Object.entries(toVariables(device, driver))
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function toUevent(action: Uevent["action"], device: KernelDevice, driver: string | undefined): Uevent {
  const subsystem = device.subsystem === undefined ? {} : { SUBSYSTEM: device.subsystem.name };
  return { action, path: `/${device.path}`, variables: { ...subsystem, ...toVariables(device, driver) } };
}
