/** Kernel uevents, as far as it takes to know that one is of no interest. */

export interface Uevent {
  readonly action: string;
  /** Below `/sys`, with a leading slash. */
  readonly path: string;
  readonly subsystem?: string;
}

/**
 * Parses `add@/devices/…\0ACTION=add\0…\0SUBSYSTEM=tty\0…` (lib/kobject_uevent.c). Undefined for anything else, such
 * as udevd's messages. Never throws.
 */
export function parseUevent(payload: Uint8Array): Uevent | undefined {
  const [header = "", ...variables] = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("latin1").split("\0");
  const [, action, path] = /^([a-z]+)@(\/.*)$/s.exec(header) ?? [];
  if (action === undefined || path === undefined) return undefined;
  const subsystem = variables.find((variable) => variable.startsWith("SUBSYSTEM="))?.slice("SUBSYSTEM=".length);
  return { action, path, ...(subsystem === undefined ? {} : { subsystem }) };
}

/** Kernel subsystems in which a radio, or a part of one, may come or go. */
const subsystems: ReadonlySet<string> = new Set([
  "bluetooth",
  "ieee80211",
  "ieee802154",
  "net",
  "spi",
  "spidev",
  "tty",
  "usb",
  "usb-serial",
]);

/**
 * Whether the event may matter to a scan. On a node whose pods come and go, virtual network interfaces, control
 * groups and block devices make most events. What cannot be read may matter.
 */
export function mayMatter(uevent: Uevent | undefined): boolean {
  if (uevent?.subsystem === undefined) return true;
  return subsystems.has(uevent.subsystem) && !uevent.path.startsWith("/devices/virtual/net/");
}
