/** What a resource's device list says. Pure. */
import type { Radio } from "../../core/radio.ts";
import type { PluginDevice } from "../../kubelet/device-plugin-messages.ts";
import { longestDeviceId } from "./kubelet-limits.ts";

export interface DeviceListInput {
  /** Of the resource's group, by id. */
  readonly radios: readonly Radio[];
  /** Ids of radios that others have: prepared for a claim, or given out as another resource. */
  readonly withheld: ReadonlySet<string>;
  /** Ids in the list before → since when they are not among the radios; milliseconds since the epoch. */
  readonly missing: ReadonlyMap<string, number>;
  readonly graceMs: number;
  readonly now: number;
}

export interface PlannedList {
  readonly devices: readonly PluginDevice[];
  /** When it will be another, if nothing happens until then; milliseconds since the epoch. */
  readonly wakeAt: number | undefined;
}

/**
 * All devices of a resource: healthy while plugged in, running their radio firmware and nobody else's, unhealthy from the moment they are not, gone after the
 * grace. So a replug takes nothing away from whom it was given to. Ids that are too long for the kubelet are left out.
 */
export function listDevices({ radios, withheld, missing, graceMs, now }: DeviceListInput): PlannedList {
  const gone = [
    ...radios.filter(({ presence }) => presence === "absent").map(({ id, absentSince }) => [id, toTime(absentSince, now)] as const),
    ...missing,
  ].filter(([, since]) => now < since + graceMs);
  const devices = [
    ...radios
      .filter(({ presence }) => presence === "present")
      .map(({ id, mode }) => ({
        ID: id,
        health: withheld.has(id) || mode === "bootloader" ? ("Unhealthy" as const) : ("Healthy" as const),
      })),
    ...gone.map(([id]) => ({ ID: id, health: "Unhealthy" as const })),
  ].filter(({ ID }) => ID.length <= longestDeviceId);
  devices.sort(({ ID: left }, { ID: right }) => (left < right ? -1 : Number(left > right)));
  const ends = gone.map(([, since]) => since + graceMs);
  return { devices, wakeAt: ends.length === 0 ? undefined : Math.min(...ends) };
}

function toTime(absentSince: string | undefined, now: number): number {
  const since = absentSince === undefined ? Number.NaN : Date.parse(absentSince);
  // A clock that was set back must not keep it listed for ever.
  return Number.isNaN(since) ? now : Math.min(since, now);
}
