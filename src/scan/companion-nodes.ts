/** Nodes without which a radio's own is of no use, or in place of which it has none. */
import { basename, dirname } from "node:path";
import type { DeviceNode } from "../core/device.ts";
import { listClass, readNodes, type Tree } from "./tree.ts";
import { findUsbPlace } from "./usb.ts";

/**
 * The GPIO chips with the reset and interrupt lines of what hangs on the SPI bus at `path`: of an adapter on USB its own, else
 * those that the SoC has in its memory. Chips behind the firmware or on other buses are other things' (drivers/gpio/gpiolib-cdev.c).
 */
export function findGpioChips(tree: Tree, path: string): readonly DeviceNode[] {
  const { sysfs } = tree;
  const usb = findUsbPlace(path)?.devicePath;
  return sysfs
    .list("bus/gpio/devices")
    .filter((name) => /^gpiochip\d+$/.test(name))
    .flatMap((name) => {
      const chip = sysfs.resolve(`bus/gpio/devices/${name}`);
      if (chip === undefined) return [];
      const isOurs = usb === undefined ? isInMemory(chip) && findUsbPlace(chip) === undefined : chip.startsWith(`${usb}/`);
      return isOurs ? presentNodes(tree, chip, name) : [];
    });
}

/** The hidraw nodes of the USB device at `path` (Documentation/hid/hidraw.rst). */
export function findHidNodes(tree: Tree, path: string): readonly DeviceNode[] {
  return listClass(tree.sysfs, "hidraw", /^hidraw\d+$/)
    .filter((member) => findUsbPlace(member.path)?.devicePath === path)
    .flatMap((member) => presentNodes(tree, member.path, member.name));
}

/** Platform devices with registers are named `<address>.<name>` after the device tree (drivers/of/platform.c). */
function isInMemory(chip: string): boolean {
  return /^[0-9a-f]{4,16}\.[a-z]/.test(basename(dirname(chip)));
}

function presentNodes(tree: Tree, path: string, name: string): readonly DeviceNode[] {
  const nodes = readNodes(tree, path, name);
  return nodes === "missing" ? [] : nodes;
}
