/** Which USB devices the doctor has an opinion on: radios, what may be one, and what looks like a serial port. */
import type { Facts, Outcome } from "../../core/check.ts";
import type { UsbFacts } from "../../core/device.ts";
import type { IdentifiedDevice, Identity } from "../../core/identity.ts";
import type { Radio } from "../../core/radio.ts";
import { radioLabel } from "./evidence.ts";

/** A USB device, once, however many functions it has. */
export interface UsbSubject {
  /** The kernel's port path: `1-1.2`. */
  readonly port: string;
  /** `SONOFF Dongle Plus in USB port 1-1.2`. */
  readonly label: string;
  readonly usb: UsbFacts;
  readonly identity: Identity;
  /** Of what is a radio, or may be one. A device with several functions has several. */
  readonly radios: readonly Radio[];
}

/** Makers of serial bridges whose chips show a vendor-specific interface (id tables of Linux drivers/usb/serial/*.c). */
const bridgeVendors = new Set(["0403", "04e2", "067b", "10c4", "1a86", "4348"]);

/** Kinds that the kernel itself or a program by way of libusb drives: they never have a serial port. */
const kindsWithoutPort = new Set(["bluetooth", "wifi", "sdr"]);

/** Abstract Control Model of the communications class, whatever it carries (USB CDC 1.2, PSTN120 §3.6). */
export const serialClass = /^02\/02\/0[0-6]$/;
/** Bluetooth's primary controller (usb.org, Defined Class Codes). */
export const bluetoothClass = "e0/01/01";

/** All of them that are plugged in now, by port. */
export function usbSubjects(facts: Facts): readonly UsbSubject[] {
  const found = new Map<string, UsbSubject>();
  for (const radio of facts.radios) {
    const { usb } = radio.device;
    if (radio.presence !== "present" || usb === undefined) continue;
    const before = found.get(usb.port);
    const label = `${radioLabel(radio)} in USB port ${usb.port}`;
    found.set(
      usb.port,
      before === undefined ? { ...subjectOf(radio, usb), label, radios: [radio] } : { ...before, radios: [...before.radios, radio] },
    );
  }
  for (const other of facts.others) {
    const { usb } = other.device;
    if (usb === undefined || found.has(usb.port) || !looksSerial(usb)) continue;
    found.set(usb.port, { ...subjectOf(other, usb), label: `${nameOf(usb)} in USB port ${usb.port}`, radios: [] });
  }
  return [...found.values()];
}

function subjectOf({ identity }: IdentifiedDevice | Radio, usb: UsbFacts): Pick<UsbSubject, "port" | "usb" | "identity"> {
  return { port: usb.port, usb, identity };
}

function nameOf({ vendorId, productId, product }: UsbFacts): string {
  return `USB device ${vendorId}:${productId}${product === undefined ? "" : ` “${product}”`}`;
}

/** Whether a maker is known for serial bridges. */
export function isBridge(vendorId: string): boolean {
  return bridgeVendors.has(vendorId);
}

function looksSerial(usb: UsbFacts): boolean {
  return usb.interfaces.some(({ classCode }) => serialClass.test(classCode) || (classCode.startsWith("ff/") && isBridge(usb.vendorId)));
}

/** Whether a serial port is expected of it: not of Wi-Fi, Bluetooth and software-defined radios. */
export function wantsSerialPort({ identity, usb }: UsbSubject): boolean {
  if (identity.state === "unknown") return looksSerial(usb);
  const kinds = identity.state === "identified" ? identity.kinds : identity.candidates;
  return kinds.length === 0 || kinds.some((kind) => !kindsWithoutPort.has(kind));
}

/** Whom a finding about it is about. */
export function aboutSubject({ port, radios }: UsbSubject): Pick<Outcome, "subject" | "radioId"> {
  const [radio] = radios;
  return radio === undefined ? { subject: port } : { subject: radio.id, radioId: radio.id };
}

/** Ports in which a radio sits or last sat. */
export function radioPorts(facts: Facts): ReadonlySet<string> {
  return new Set(facts.radios.flatMap(({ device }) => device.usb?.port ?? []));
}
