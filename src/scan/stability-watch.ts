/** Notices ports whose device keeps leaving and coming back. */
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import type { Device } from "../core/device.ts";

const windowMs = 30_000;
/** As many new enumerations within the window are taken for plugging about by hand; more are a fault. */
const tolerated = 3;

/** Told of each scan's devices, it keeps the conditions `device.<port>.unstable` right. */
export type StabilityWatch = (devices: readonly Device[]) => void;

interface SeenPort {
  readonly enumeration: string;
  readonly seenAt: number;
  /** When another enumeration was found than before. */
  readonly changes: readonly number[];
}

export function createStabilityWatch(clock: Clock, conditions: Conditions): StabilityWatch {
  const ports = new Map<string, SeenPort>();
  return (devices) => {
    const now = clock.now();
    const isRecent = (at: number): boolean => Math.abs(now - at) < windowMs;
    for (const { usb } of devices) {
      if (usb === undefined) continue;
      const enumeration = `${usb.busNumber}.${usb.deviceNumber}`;
      const known = ports.get(usb.port) ?? { enumeration, changes: [] };
      const changes = known.enumeration === enumeration ? known.changes : [...known.changes, now];
      ports.set(usb.port, { enumeration, seenAt: now, changes: changes.filter(isRecent) });
    }
    for (const [port, { seenAt, changes }] of ports) {
      const code = `device.${port}.unstable`;
      const recent = changes.filter(isRecent);
      if (recent.length > tolerated) {
        const text = `The USB device in port ${port} keeps leaving and coming back. Check its cable, its plug and the power it gets: a powered hub or a shorter cable often helps.`;
        conditions.raise(code, "warning", text);
      } else if (recent.length === 0) {
        conditions.clear(code);
        // Only now, so that a change is seen across an absence.
        if (!isRecent(seenAt)) ports.delete(port);
      }
    }
  };
}
