/** A plugin as the host calls it, wherever it runs. */
import type { Facts, Outcome } from "../core/check.ts";
import type { Device } from "../core/device.ts";
import { type CheckFace, judgeCheck } from "../core/judge-check.ts";
import type { Radio } from "../core/radio.ts";
import { toDeviceView } from "../identify/device-view.ts";
import { claimsOf, type Claim } from "../identify/match-fingerprint.ts";
import type { RadioDescription, RadioPlugin } from "../sdk/plugin.ts";

export interface PluginRunner extends AsyncDisposable {
  readonly name: string;
  /** The file it comes from; absent for one that comes with aerial. */
  readonly path?: string;
  /** How many rows it recognizes radios by. */
  readonly fingerprints: number;
  /** DNS-SD types that its rows ask for. */
  readonly networkServices: readonly string[];
  /** One list a device, in the order of the devices. Rejects with `plugin.failed` or `plugin.timeout`. */
  claims(devices: readonly Device[], signal: AbortSignal): Promise<readonly (readonly Claim[])[]>;
  /** What it asks the machine. */
  readonly checks: readonly CheckFace[];
  /** An answer for each of its checks, in their order; a sentence where there was nothing to judge. Rejects like `claims`. */
  judge(facts: Facts, signal: AbortSignal): Promise<readonly (readonly Outcome[] | string)[]>;
  /** Rejects like `claims`; empty for a plugin that adds nothing. */
  describe(radio: Radio, signal: AbortSignal): Promise<RadioDescription>;
}

/** Each once. */
export function networkServicesOf({ network = [] }: RadioPlugin): string[] {
  return [...new Set(network.map(({ service }) => service))];
}

export function countFingerprints({ fingerprints, network = [] }: RadioPlugin): number {
  return fingerprints.length + network.length;
}

/** Its checks without their functions. */
export function checkFacesOf({ checks = [] }: RadioPlugin): CheckFace[] {
  return checks.map(({ id, level, title, source, reads }) => ({ id, level, title, source, reads }));
}

/** Runs a plugin that comes with aerial: its rows are data we ship, so it needs no thread of its own. */
export function createBuiltInRunner(plugin: RadioPlugin): PluginRunner {
  return {
    name: plugin.name,
    fingerprints: countFingerprints(plugin),
    networkServices: networkServicesOf(plugin),
    checks: checkFacesOf(plugin),
    judge: async (facts) => (plugin.checks ?? []).map((check) => judgeCheck(check, facts)),
    claims: async (devices) => devices.map((device) => claimsOf(plugin, toDeviceView(device))),
    describe: async (radio) => plugin.describe?.(radio) ?? {},
    async [Symbol.asyncDispose]() {},
  };
}
