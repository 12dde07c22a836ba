/** A device as fingerprints see it: the same words whether they come from sysfs or only from a by-id name. */
import type { Device } from "../core/device.ts";

export interface DeviceView {
  readonly device: Device;
  readonly vendorId?: string;
  readonly productId?: string;
  readonly interfaceNumber?: number;
  /** See FingerprintMatch.name. Absent for devices that are not on USB. */
  readonly name?: string;
}

/** Longer than any USB string pair (2 × 126 characters, USB 2.0 §9.6.7): what comes after proves nothing. */
const longestName = 255;

/** How udev may end a by-id name: `-if00`, and `-port0` for usb-serial drivers (60-serial.rules). */
const byIdEnd = /-if([0-9a-f]{2})(?:-port\d+)?$/;

/** udev's stand-ins for both strings (udev-builtin-usb_id.c): `0658_0200`, perhaps with a serial. */
const hexIds = /^([0-9a-f]{4})(?:_([0-9a-f]{4})(?:_|$))?/;

/** Prepares a device for matching. Never throws, whatever the strings hold. */
export function toDeviceView(device: Device): DeviceView {
  const { usb } = device;
  const byId = device.byId?.startsWith("usb-") === true ? readByIdName(device.byId) : {};
  if (usb === undefined) return { device, ...byId };
  const named = usb.manufacturer !== undefined && usb.product !== undefined;
  const interfaceNumber = usb.interfaceNumber ?? byId.interfaceNumber;
  return {
    device,
    vendorId: usb.vendorId,
    productId: usb.productId,
    name: (named ? undefined : byId.name) ?? toUsbName(`${usb.manufacturer ?? usb.vendorId} ${usb.product ?? usb.productId}`),
    ...(interfaceNumber === undefined ? {} : { interfaceNumber }),
  };
}

/** The characters udev keeps in names (`udev_replace_chars` with its whitelist); every run of others becomes one blank. */
export function toUsbName(text: string): string {
  return text
    .slice(0, longestName)
    .replaceAll(/[^\p{L}\p{N}#+\-.:=@]+/gu, " ")
    .trim();
}

function readByIdName(byId: string): Omit<DeviceView, "device"> {
  const body = byId.slice("usb-".length, "usb-".length + longestName);
  const end = byIdEnd.exec(body);
  const text = end === null ? body : body.slice(0, end.index);
  const ids = hexIds.exec(text);
  const interfaceDigits = end?.[1];
  return {
    name: toUsbName(text),
    ...(ids?.[1] === undefined ? {} : { vendorId: ids[1] }),
    ...(ids?.[2] === undefined ? {} : { productId: ids[2] }),
    ...(interfaceDigits === undefined ? {} : { interfaceNumber: Number.parseInt(interfaceDigits, 16) }),
  };
}
