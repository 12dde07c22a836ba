/** The devices of this node's ResourceSlices. Pure. */
import type { Radio } from "../../core/radio.ts";
import { type DeviceAttributes, deviceAttributes } from "./device-attributes.ts";
import { toDeviceName } from "./device-name.ts";

/** Resource/v1: DeviceTaint. `None` is for people to read, `NoSchedule` keeps new claims away, `NoExecute` evicts who has it. */
export interface DeviceTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: "None" | "NoSchedule" | "NoExecute";
  /** RFC 3339 with whole seconds, which is all the server keeps. The server's own time unless given. */
  readonly timeAdded?: string;
}

/** Resource/v1: Device, as far as radios need it. */
export interface SliceDevice {
  readonly name: string;
  readonly attributes: DeviceAttributes;
  readonly taints?: readonly DeviceTaint[];
}

/** What decides, besides the radios themselves. */
export interface SliceFacts {
  /** Radios that can be handed over, by their group. */
  readonly groups: ReadonlyMap<string, readonly Radio[]>;
  /** Begins the taints' keys. */
  readonly domain: string;
  /** Radios that the device plugin gave away, and since when if that is known; ISO 8601. */
  readonly handed: ReadonlyMap<string, string | undefined>;
  /** Radios that a claim has. */
  readonly claimed: ReadonlySet<string>;
  /** How long an unplugged radio stays listed, unless a claim has it. */
  readonly graceMs: number;
  /** After how long an absent radio's pods are evicted; never unless given. */
  readonly evictAfterMs?: number | undefined;
  /** Whether the cluster keeps taints. Where it does not, what would have one is left out. */
  readonly taints: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface SliceDevices {
  /** By name. */
  readonly devices: readonly SliceDevice[];
  /** When the same facts will give something else; milliseconds since the epoch. */
  readonly wakeAt?: number;
}

/**
 * An absent radio may not be scheduled from the moment it is missed on. It stays listed for the grace, or for as long as a
 * claim has it, so that whoever looks sees why the pod's radio does not answer.
 */
export function sliceDevices(facts: SliceFacts): SliceDevices {
  const { groups, claimed, graceMs, evictAfterMs, now } = facts;
  const devices = new Map<string, SliceDevice>();
  let wakeAt = Infinity;
  for (const [group, radios] of groups) {
    for (const radio of radios) {
      const goneSince = radio.presence === "absent" ? absentSince(radio, now) : undefined;
      if (goneSince !== undefined) {
        if (!claimed.has(radio.id) && now >= goneSince + graceMs) continue;
        for (const ms of [graceMs, evictAfterMs]) if (ms !== undefined && goneSince + ms > now) wakeAt = Math.min(wakeAt, goneSince + ms);
      }
      const taints = taintsOf(radio, goneSince, facts);
      if (taints.length > 0 && !facts.taints && !claimed.has(radio.id)) continue;
      const name = toDeviceName(radio.id);
      // Two of one name, and the server refuses them all.
      if (devices.has(name)) continue;
      const attributes = deviceAttributes(radio, group);
      devices.set(name, { name, attributes, ...(facts.taints && taints.length > 0 ? { taints } : {}) });
    }
  }
  const sorted = [...devices.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { devices: sorted, ...(wakeAt === Infinity ? {} : { wakeAt }) };
}

function taintsOf(radio: Radio, goneSince: number | undefined, facts: SliceFacts): readonly DeviceTaint[] {
  const { domain, handed, evictAfterMs, now } = facts;
  const taints: DeviceTaint[] = [];
  if (goneSince !== undefined) {
    const evict = evictAfterMs !== undefined && now >= goneSince + evictAfterMs;
    taints.push({ key: `${domain}/absent`, effect: evict ? "NoExecute" : "NoSchedule", timeAdded: wholeSeconds(goneSince) });
  } else if (radio.mode === "bootloader") {
    taints.push({ key: `${domain}/bootloader`, effect: "NoSchedule" });
  }
  if (handed.has(radio.id)) {
    const since = Date.parse(handed.get(radio.id) ?? "");
    const timeAdded = Number.isNaN(since) ? {} : { timeAdded: wholeSeconds(since) };
    taints.push({ key: `${domain}/in-use`, value: "device-plugin", effect: "NoSchedule", ...timeAdded });
  }
  return taints;
}

function absentSince({ absentSince: since = "" }: Radio, now: number): number {
  const at = Date.parse(since);
  return Number.isNaN(at) ? now : at;
}

function wholeSeconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
