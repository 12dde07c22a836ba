/** What the device plugin has done since start. */
import { createDurations, type Durations } from "../../core/durations.ts";

export interface DevicePluginCounters {
  /** From the kubelet's socket being seen, or its stream's end, to the registration being taken. */
  readonly registrations: Durations;
  registrationFailures: number;
  /** Of the kubelet's calls, also those that were refused. */
  readonly allocations: Durations;
  allocationsRefused: number;
  readonly preStarts: Durations;
  preStartsRefused: number;
}

export function createDevicePluginCounters(): DevicePluginCounters {
  return {
    registrations: createDurations(),
    registrationFailures: 0,
    allocations: createDurations(),
    allocationsRefused: 0,
    preStarts: createDurations(),
    preStartsRefused: 0,
  };
}
