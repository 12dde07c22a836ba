/** Notices USB devices that no driver takes: the kernel shows no port for them, however long one waits. */
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import type { Device, UsbFacts } from "../core/device.ts";
import { likelyModule } from "./likely-module.ts";

/** How long a driver may take, module loading included. */
const patienceMs = 3_000;

/**
 * Told of each scan's devices, it keeps the conditions `device.<port>.driver-missing` right and gives the time at
 * which it wants to be told again, if any.
 */
export type DriverWatch = (devices: readonly Device[]) => number | undefined;

export function createDriverWatch(clock: Clock, conditions: Conditions): DriverWatch {
  const waiting = new Map<string, { readonly enumeration: string; readonly since: number }>();
  return (devices) => {
    const now = clock.now();
    const without = devices.flatMap(({ function: kind, usb }) => (kind === "usb" && usb !== undefined && lacksDriver(usb) ? [usb] : []));
    const ports = new Set(without.map(({ port }) => port));
    for (const port of waiting.keys()) {
      if (ports.has(port)) continue;
      waiting.delete(port);
      conditions.clear(codeFor(port));
    }
    let next: number | undefined;
    for (const usb of without) {
      const enumeration = `${usb.busNumber}.${usb.deviceNumber}`;
      const known = waiting.get(usb.port);
      const since = known?.enumeration === enumeration ? known.since : now;
      waiting.set(usb.port, { enumeration, since });
      if (now - since >= patienceMs) raise(conditions, usb);
      else {
        conditions.clear(codeFor(usb.port));
        next = Math.min(next ?? Infinity, since + patienceMs);
      }
    }
    return next;
  };
}

/** Firmware update (DFU, class fe/01) needs no driver. */
function lacksDriver({ interfaces }: UsbFacts): boolean {
  return interfaces.some(({ classCode }) => !classCode.startsWith("fe/01")) && interfaces.every(({ driver }) => driver === undefined);
}

function raise(conditions: Conditions, usb: UsbFacts): void {
  const module = likelyModule(usb);
  const what = `USB device ${usb.vendorId}:${usb.productId}${usb.product === undefined ? "" : ` "${usb.product}"`} in port ${usb.port}`;
  if (module === undefined) {
    conditions.raise(
      codeFor(usb.port),
      "info",
      `No kernel driver has taken ${what}. That is as it should be for what programs drive themselves.`,
    );
  } else {
    const advice = `Load the kernel module ${module}, which most likely drives it, or install the kernel package that has it.`;
    conditions.raise(codeFor(usb.port), "warning", `No kernel driver has taken ${what}, so nothing can talk to it. ${advice}`);
  }
}

function codeFor(port: string): string {
  return `device.${port}.driver-missing`;
}
