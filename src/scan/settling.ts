/**
 * Keeps back USB devices on which nothing hangs yet, or nothing any more. A stick that is plugged in is a bare USB device
 * before it is a serial port, and one again for a moment while it is pulled out: neither is worth telling anybody.
 */
import type { Clock } from "../core/clock.ts";
import type { Device } from "../core/device.ts";

/** Longer than a loaded driver needs (tens of milliseconds), short enough for who waits for a stick that has none. */
const patienceMs = 1_000;

export interface Settled {
  readonly devices: readonly Device[];
  /** When one that is kept back will have waited long enough; milliseconds since the epoch. */
  readonly wakeAt: number | undefined;
}

/** Given the devices of each scan; what the first scan finds has settled long ago. */
export function createSettling(clock: Clock): (devices: readonly Device[]) => Settled {
  let since: ReadonlyMap<string, number> | undefined;
  return (devices) => {
    const now = clock.now();
    const bare = new Map<string, number>();
    let wakeAt: number | undefined;
    const settled = devices.filter(({ function: kind, usb }) => {
      if (kind !== "usb" || usb === undefined) return true;
      const enumeration = `${usb.busNumber}.${usb.deviceNumber}`;
      const firstSeen = since === undefined ? -Infinity : Math.min(since.get(enumeration) ?? now, now);
      bare.set(enumeration, firstSeen);
      if (now - firstSeen >= patienceMs) return true;
      wakeAt = Math.min(wakeAt ?? Infinity, firstSeen + patienceMs);
      return false;
    });
    since = bare;
    return { devices: settled, wakeAt };
  };
}
