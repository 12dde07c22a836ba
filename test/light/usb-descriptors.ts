/** USB descriptors as sysfs' `descriptors` attribute holds them (USB 2.0 §9.6): the device's, then the active configuration's. */
import type { VirtualStick } from "../lab/lab.ts";

export interface UsbTriple {
  readonly class: number;
  readonly subclass: number;
  readonly protocol: number;
}

export interface UsbInterfaceDescriptor extends UsbTriple {
  readonly number: number;
  readonly endpoints: number;
}

export interface UsbDescriptors {
  readonly device: UsbTriple & { readonly maxPacketSize: number };
  /** Alternate setting 0 of each. */
  readonly interfaces: readonly UsbInterfaceDescriptor[];
}

const triple = (deviceClass: number, subclass: number, protocol: number): UsbTriple => ({ class: deviceClass, subclass, protocol });

// Interface classes of the real chips; cdc_acm: CDC 1.2 (control 02/02/01, data 0a/00/00); btusb: Bluetooth core, vol. 4 part B §2.1.
const interfacesOfDriver: Record<VirtualStick["driver"], readonly UsbTriple[]> = {
  cp210x: [triple(0xff, 0, 0)],
  ch341: [triple(0xff, 1, 2)],
  ftdi_sio: [triple(0xff, 0xff, 0xff)],
  pl2303: [triple(0xff, 0, 0)],
  cdc_acm: [triple(2, 2, 1), triple(0x0a, 0, 0)],
  btusb: [triple(0xe0, 1, 1), triple(0xe0, 1, 1)],
  none: [triple(0xff, 0, 0)],
};

/** Plausible descriptors of a stick with `ports` ports of its driver. Endpoint descriptors are left out: nothing in sysfs shows them. */
export function buildDescriptors(stick: VirtualStick): Uint8Array {
  const ports = stick.ports ?? 1;
  const interfaces = Array.from({ length: ports }, () => interfacesOfDriver[stick.driver]).flat();
  const device = deviceTriple(stick, ports);
  const word = (hex: string): number[] => [Number.parseInt(hex.slice(2, 4), 16), Number.parseInt(hex.slice(0, 2), 16)];
  const index = (text: string | undefined, position: number): number => (text === undefined ? 0 : position);
  const header = [18, 1, 0x00, 0x02, device.class, device.subclass, device.protocol, 64];
  const ids = [...word(stick.vendorId), ...word(stick.productId), ...word(stick.release ?? "0100")];
  const strings = [index(stick.manufacturer, 1), index(stick.product, 2), index(stick.serial, 3)];
  const configuration = [9, 2, 9 + 9 * interfaces.length, 0, interfaces.length, 1, 0, 0x80, 50];
  const faces = interfaces.flatMap((each, number) => [9, 4, number, 0, 0, each.class, each.subclass, each.protocol, 0]);
  return Uint8Array.from([...header, ...ids, ...strings, 1, ...configuration, ...faces]);
}

function deviceTriple(stick: VirtualStick, ports: number): UsbTriple {
  if (stick.driver === "btusb") return triple(0xe0, 1, 1);
  if (stick.driver === "cdc_acm") return ports > 1 ? triple(0xef, 2, 1) : triple(2, 0, 0);
  return triple(0, 0, 0);
}

/** Reads what sysfs shows out of a `descriptors` blob; a blob cut short gives what came before the cut. */
export function parseDescriptors(blob: Uint8Array): UsbDescriptors {
  const at = (offset: number): number => blob[offset] ?? 0;
  const interfaces: UsbInterfaceDescriptor[] = [];
  for (let offset = 18; offset < blob.length && at(offset) >= 2; offset += at(offset)) {
    const isInterface = at(offset + 1) === 4 && at(offset) >= 9 && offset + 9 <= blob.length;
    if (!isInterface || at(offset + 3) !== 0) continue;
    interfaces.push({ number: at(offset + 2), endpoints: at(offset + 4), ...triple(at(offset + 5), at(offset + 6), at(offset + 7)) });
  }
  return { device: { ...triple(at(4), at(5), at(6)), maxPacketSize: at(7) }, interfaces };
}
