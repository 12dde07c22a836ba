/** Which kernel module most likely drives a USB device that has no driver. */
import type { UsbFacts } from "../core/device.ts";

/** Makers of serial bridges whose chips show a vendor-specific interface (id tables of Linux drivers/usb/serial/*.c). */
const bridgeModules: ReadonlyMap<string, string> = new Map([
  ["0403", "ftdi_sio"],
  ["067b", "pl2303"],
  ["10c4", "cp210x"],
  ["1a86", "ch341"],
  ["4348", "ch341"],
]);

/** Interface class, subclass and protocol → module, for what follows a USB class (drivers' id tables). */
const classModules: readonly { readonly classCode: RegExp; readonly module: string }[] = [
  { classCode: /^02\/02\/0[0-6]$/, module: "cdc_acm" },
  { classCode: /^e0\/01\/01$/, module: "btusb" },
];

/** The module's name; undefined when nothing speaks for any. */
export function likelyModule(usb: UsbFacts): string | undefined {
  const codes = usb.interfaces.map(({ classCode }) => classCode);
  const byClass = classModules.find(({ classCode }) => codes.some((code) => classCode.test(code)));
  if (byClass !== undefined) return byClass.module;
  return codes.some((code) => code.startsWith("ff/")) ? bridgeModules.get(usb.vendorId) : undefined;
}
