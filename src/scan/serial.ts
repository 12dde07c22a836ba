/** Serial ports with hardware behind them, and spidev. */
import type { FoundFunction } from "./functions.ts";
import { isOnUsb, listClass, readNodes, skipSerialBase, toNodeName, type Tree } from "./tree.ts";

/** serial_core's "no UART found here" (include/uapi/linux/serial.h, PORT_UNKNOWN). */
const unknownPort = 0;

/** All ttys with a USB device or a detected UART behind them. */
export function findSerialPorts(tree: Tree): readonly FoundFunction[] {
  const { sysfs } = tree;
  // Virtual consoles are many and never hardware: not even worth a look.
  return listClass(sysfs, "tty", /^(?!tty\d*$)/).flatMap(({ name, path, device }) => {
    const hardware = device === undefined ? undefined : skipSerialBase(sysfs, device);
    if (hardware === undefined || !(isOnUsb(path) || isDetectedUart(tree, path, hardware))) return [];
    const nodes = readNodes(tree, path, toNodeName(name));
    const port = sysfs.number(`${hardware}/port_number`, 10);
    return [{ function: "serial", at: { name, path, device: hardware }, nodes, ...(port === undefined ? {} : { port }) }];
  });
}

/** All spidev devices. */
export function findSpiDevices(tree: Tree): readonly FoundFunction[] {
  return listClass(tree.sysfs, "spidev", /^spidev\d+\.\d+$/).map((at) => {
    const nodes = readNodes(tree, at.path, at.name);
    return { function: "spi", at, nodes };
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
