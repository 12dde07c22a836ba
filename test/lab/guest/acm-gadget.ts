/** CDC-ACM sticks made by the kernel's own gadget drivers: configfs on dummy_hcd (Documentation/usb/gadget_configfs.rst). */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { WireStick } from "../protocol.ts";
import { loadModule } from "./modules.ts";

const execute = promisify(execFile);
const configfs = "/sys/kernel/config";
/** As many as guest/init.sh tells dummy_hcd to have: it loads all host controllers, so that bus numbers are always the same. */
export const gadgetPortCount = 4;
/** configfs' limit for a string, in bytes of UTF-8. */
const longestString = 126;

export interface GadgetStick {
  unplug(): void;
}

/**
 * Whether the gadget drivers can be this stick to the letter: one port, no replay, and all three strings, none of which
 * configfs would change. (A gadget that once had strings shows others in the place of missing ones.)
 */
export function fitsGadget({ driver, ports = 1, descriptorsBase64, manufacturer = "", product = "", serial = "" }: WireStick): boolean {
  return driver === "cdc_acm" && ports === 1 && descriptorsBase64 === undefined && [manufacturer, product, serial].every(fitsConfigfs);
}

function fitsConfigfs(text: string): boolean {
  return (
    !/\p{Surrogate}/u.test(text) && !text.includes("\0") && !text.endsWith("\n") && text !== "" && Buffer.byteLength(text) <= longestString
  );
}

/** Plugs a stick into gadget port `index` (0 to `gadgetPortCount` - 1). Its far end sends back what it gets. */
export async function plugGadget(index: number, stick: WireStick): Promise<GadgetStick> {
  await loadModule("vhci_hcd");
  await loadModule("dummy_hcd", `num=${gadgetPortCount}`);
  await loadModule("libcomposite");
  await loadModule("usb_f_acm");
  if (!existsSync(join(configfs, "usb_gadget"))) await execute("/bin/busybox", ["mount", "-t", "configfs", "configfs", configfs]);
  const gadget = join(configfs, "usb_gadget", `lab${index}`);
  const line = prepareGadget(gadget);
  describe(gadget, stick);
  const farEnd = openFarEnd(line);
  writeFileSync(join(gadget, "UDC"), `dummy_udc.${index}`);
  return {
    unplug() {
      writeFileSync(join(gadget, "UDC"), "\n");
      farEnd.kill("SIGKILL");
    },
  };
}

/** Makes the gadget the first time; gives the tty at its far end. */
function prepareGadget(gadget: string): string {
  const acm = join(gadget, "functions", "acm.lab");
  if (!existsSync(gadget)) {
    mkdirSync(gadget);
    mkdirSync(acm);
    mkdirSync(join(gadget, "configs", "c.1"));
    symlinkSync(acm, join(gadget, "configs", "c.1", "acm.lab"));
    writeFileSync(join(gadget, "bDeviceClass"), "0x02");
  }
  return `/dev/ttyGS${readFileSync(join(acm, "port_num"), "utf8").trim()}`;
}

function describe(gadget: string, stick: WireStick): void {
  writeFileSync(join(gadget, "idVendor"), `0x${stick.vendorId}`);
  writeFileSync(join(gadget, "idProduct"), `0x${stick.productId}`);
  writeFileSync(join(gadget, "bcdDevice"), `0x${stick.release ?? "0100"}`);
  const strings = join(gadget, "strings", "0x409");
  mkdirSync(strings, { recursive: true });
  const { manufacturer = "", product = "", serial = "" } = stick;
  for (const [name, text] of Object.entries({ manufacturer, product, serialnumber: serial })) writeFileSync(join(strings, name), text);
}

/** Ends by itself when the stick is unplugged: the kernel hangs the line up. */
function openFarEnd(line: string): ChildProcess {
  return spawn("/bin/busybox", ["sh", "-c", `exec <>${line} >&0 && /bin/busybox stty raw -echo && exec /bin/busybox cat`], {
    stdio: "ignore",
  });
}
