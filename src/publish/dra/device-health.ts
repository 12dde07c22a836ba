/** What the kubelet is told of the radios, for the status of pods. Pure. */
import type { Radio, Snapshot } from "../../core/radio.ts";
import type { DeviceHealth } from "../../kubelet/dra-messages.ts";
import { toDeviceName } from "./device-name.ts";

type Health = Omit<DeviceHealth, "lastUpdatedTime" | "healthCheckTimeoutSeconds">;

/** All that can be handed over, listed or not: whoever was given one is told when it is gone for good, too. */
export function deviceHealth(snapshot: Snapshot, groups: ReadonlyMap<string, readonly Radio[]>, pool: string): readonly Health[] {
  // Until the first whole scan nothing is known to be gone.
  if (!snapshot.complete) return [];
  return [...groups.values()].flat().map((radio) => {
    const { health, message } = healthOf(radio);
    return { device: { poolName: pool, deviceName: toDeviceName(radio.id) }, health, message };
  });
}

function healthOf({ presence, absentSince, mode }: Radio): Pick<Health, "health" | "message"> {
  if (presence === "absent")
    return { health: "UNHEALTHY", message: `unplugged${absentSince === undefined ? "" : ` since ${absentSince}`}` };
  if (mode === "bootloader") return { health: "UNHEALTHY", message: "waits in its bootloader" };
  return { health: "HEALTHY", message: "" };
}
