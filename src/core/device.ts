/** What the kernel shows. Facts only: nothing here says what a device is for. */

/** How a device is spoken to: the class of kernel interface it was found under. */
export type DeviceFunction =
  | "serial"
  | "spi"
  | "bluetooth"
  | "wifi"
  | "ieee802154"
  /** A USB device to which no driver has given any of the functions above. */
  | "usb"
  /** Nothing of this machine's: it offers itself on a network that the relay hears. */
  | "network";

/** A device node under the host's `/dev`, as the host names it (never the re-rooted path). */
export interface DeviceNode {
  readonly path: string;
  readonly major: number;
  readonly minor: number;
}

/** One interface of a USB device; numbers as in its interface descriptor (USB 2.0 §9.6.5). */
export interface UsbInterface {
  readonly number: number;
  /** `class/subclass/protocol`, each two lower-case hex digits: `e0/01/01`. */
  readonly classCode: string;
  readonly driver?: string;
}

/** Identity and place of a USB device. Strings are as the device gives them, made safe to print, at most 255 characters. */
export interface UsbFacts {
  /** Four lower-case hex digits. */
  readonly vendorId: string;
  /** Four lower-case hex digits. */
  readonly productId: string;
  /** bcdDevice, four hex digits. */
  readonly release?: string;
  readonly manufacturer?: string;
  readonly product?: string;
  readonly serial?: string;
  /** The kernel's port path, such as `1-1.2`: the same for whatever is plugged into that port. */
  readonly port: string;
  readonly busNumber: number;
  /** Rises with every enumeration: with busNumber it tells a replug from a device that never left. */
  readonly deviceNumber: number;
  /** The interface this function hangs on; absent when the whole device is meant. */
  readonly interfaceNumber?: number;
  readonly interfaces: readonly UsbInterface[];
}

export interface WifiFacts {
  readonly phy: string;
  readonly interfaces: readonly string[];
  /** Whether nl80211 lists access-point mode; absent where it could not be asked. */
  readonly accessPoint?: boolean;
}

export interface BluetoothFacts {
  readonly controller: string;
  /** From BlueZ, where it runs. */
  readonly address?: string;
}

export interface Ieee802154Facts {
  readonly phy: string;
  readonly interfaces: readonly string[];
}

/** What the device tree says of a built-in device or of the board it sits on. */
export interface PlatformFacts {
  /** `compatible` strings of the device's own node, most specific first. */
  readonly compatible: readonly string[];
  /** The board's `model`, such as `Raspberry Pi 4 Model B Rev 1.4`. */
  readonly board?: string;
}

/** One DNS-SD service under which something offers itself. Text as it gives it, made safe to print, at most 255 characters. */
export interface NetworkOffer {
  /** `_slzb-06._tcp`, lower case. */
  readonly service: string;
  readonly instance: string;
  /** DNS-SD TXT, keys in lower case. */
  readonly text: Readonly<Record<string, string>>;
}

/** Where something on the network is reached, and all that it says of itself. */
export interface NetworkFacts extends NetworkOffer {
  /** With `.local`. */
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** Other services under which the same thing offers itself. */
  readonly others: readonly NetworkOffer[];
  /** Names of the links it was heard on. */
  readonly links: readonly string[];
  /** Of the radio itself, such as its IEEE address. */
  readonly serial?: string;
  /** Of the box it sits in, which may hold several radios on several ports. */
  readonly mac?: string;
}

/** One thing that might be a radio. Rebuilt on every scan, from sysfs or from what was heard. */
export interface Device {
  /**
   * Unique within a scan: the canonical sysfs path below `/sys`, such as `devices/pci0000:00/…/ttyUSB0`. What is on the
   * network has `network/` and host and port instead.
   */
  readonly sysPath: string;
  readonly function: DeviceFunction;
  readonly driver?: string;
  readonly nodes: readonly DeviceNode[];
  /** The name udev gives under `/dev/serial/by-id`, computed here so that no udev is needed. */
  readonly byId?: string;
  readonly usb?: UsbFacts;
  readonly wifi?: WifiFacts;
  readonly bluetooth?: BluetoothFacts;
  readonly ieee802154?: Ieee802154Facts;
  readonly platform?: PlatformFacts;
  readonly network?: NetworkFacts;
}

/** `local`: plugged into this machine or built into it. `network`: every machine that hears it has as much of it. */
export type Attachment = "local" | "network";

export function attachmentOf(device: Device): Attachment {
  return device.function === "network" ? "network" : "local";
}
