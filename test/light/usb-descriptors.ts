/** What sysfs shows of a stick's descriptors (USB 2.0 §9.6), read from its `descriptors` attribute: the device's, then the configurations'. */
import { stickDescriptors } from "../lab/guest/usb-descriptors.ts";
import type { VirtualStick } from "../lab/lab.ts";
import { toWire } from "./namespace-protocol.ts";

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

/** The same bytes that the stick has on the guest's bus. */
export function descriptorsOf(stick: VirtualStick): Uint8Array {
  const { device, configurations } = stickDescriptors(toWire(stick));
  return Buffer.concat([device, ...configurations]);
}

/** A blob cut short gives what came before the cut. */
export function parseDescriptors(blob: Uint8Array): UsbDescriptors {
  const at = (offset: number): number => blob[offset] ?? 0;
  const triple = (offset: number): UsbTriple => ({ class: at(offset), subclass: at(offset + 1), protocol: at(offset + 2) });
  const interfaces: UsbInterfaceDescriptor[] = [];
  for (let offset = 18; offset < blob.length && at(offset) >= 2; offset += at(offset)) {
    const isInterface = at(offset + 1) === 4 && at(offset) >= 9 && offset + 9 <= blob.length;
    if (!isInterface || at(offset + 3) !== 0) continue;
    interfaces.push({ number: at(offset + 2), endpoints: at(offset + 4), ...triple(offset + 5) });
  }
  return { device: { ...triple(4), maxPacketSize: at(7) }, interfaces };
}
