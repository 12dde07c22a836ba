/** Serial ports with hardware behind them, and spidev. */
import { findGpioChips } from "./companion-nodes.ts";
import type { FoundFunction } from "./functions.ts";
import { listClass, readNodes, skipSerialBase, toNodeName, type Tree } from "./tree.ts";
import { findUsbPlace } from "./usb.ts";

/** serial_core's "no UART found here" (include/uapi/linux/serial.h, PORT_UNKNOWN). */
const unknownPort = 0;

/** All ttys with a USB device or a detected UART behind them. */
export function findSerialPorts(tree: Tree): readonly FoundFunction[] {
  const { sysfs } = tree;
  // Virtual consoles are many and never hardware: not even worth a look.
  return listClass(sysfs, "tty", /^(?!tty\d*$)/).flatMap((at): FoundFunction[] => {
    if (at.device === undefined) return [];
    const nodes = (): FoundFunction["nodes"] => readNodes(tree, at.path, toNodeName(at.name));
    if (findUsbPlace(at.path) !== undefined) {
      const port = sysfs.linkName(`${at.device}/subsystem`) === "usb-serial" ? sysfs.number(`${at.device}/port_number`, 10) : undefined;
      return [{ function: "serial", at, nodes: nodes(), ...(port === undefined ? {} : { port }) }];
    }
    const device = skipSerialBase(sysfs, at.device);
    return isDetectedUart(tree, at.path, device) ? [{ function: "serial", at: { ...at, device }, nodes: nodes() }] : [];
  });
}

/** All spidev devices, each with the GPIO chips beside it. */
export function findSpiDevices(tree: Tree): readonly FoundFunction[] {
  return listClass(tree.sysfs, "spidev", /^spidev\d+\.\d+$/).map((at) => {
    const nodes = readNodes(tree, at.path, at.name);
    return { function: "spi", at, nodes: nodes === "missing" ? nodes : [...nodes, ...findGpioChips(tree, at.path)] };
  });
}

/**
 * serial_core gives every UART a `type`; pseudo terminals and hypervisor consoles have none. The 8250 driver also
 * registers ports for UARTs that may never come: they have type 0 and hang on the platform device `serial8250`.
 */
function isDetectedUart(tree: Tree, path: string, hardware: string): boolean {
  const type = tree.sysfs.number(`${path}/type`, 10);
  return type !== undefined && type !== unknownPort && !hardware.endsWith("/platform/serial8250");
}
