/** What a sighting, or its lack, changes in what is remembered of one radio. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Device } from "../core/device.ts";
import type { Identity } from "../core/identity.ts";
import type { HistoryEntry, IdBasis } from "../core/radio.ts";
import { claimsSame, doubted, learnPassive } from "./belief.ts";
import { draft, type Moment } from "./history-draft.ts";
import { identityOf, type Memory } from "./memory.ts";
import { nearness } from "./origin.ts";
import type { Sighting } from "./recognize.ts";
import type { HistoryDraft } from "./state.ts";

export interface Change {
  /** The same object if nothing changed. */
  readonly memory: Memory;
  readonly drafts: readonly HistoryDraft[];
}

export interface Newcomer {
  readonly id: string;
  readonly basis: IdBasis;
  readonly sighting: Sighting;
}

/** A radio met for the first time. */
export function meet({ id, basis, sighting }: Newcomer, moment: Moment): Change {
  const { device, identity, origin } = sighting;
  const { at } = moment;
  const memory: Memory = {
    id,
    basis,
    origin,
    device,
    home: device,
    passive: identity,
    presence: "present",
    mode: identity.mode,
    firstSeen: at,
    lastSeen: at,
  };
  const believed = identityOf(memory, moment.overrides);
  const types: readonly HistoryEntry["type"][] = believed.state === "identified" ? ["attached", "identified"] : ["attached"];
  return { memory, drafts: types.map((type) => draft({ type, memory, moment })) };
}

/** A known radio that this scan shows. */
export function attach(before: Memory, sighting: Sighting, moment: Moment): Change {
  const { device, identity, origin } = sighting;
  const came = before.presence === "absent";
  const replugged = !isSameEnumeration(before.device, device);
  const near = nearness(before.origin.place, origin.place);
  const toldBootloader = before.toldBootloader === true && !came && !replugged && identity.mode === "application";
  const mode = toldBootloader ? "bootloader" : identity.mode;
  const told =
    before.told !== undefined && (came || replugged || mode !== before.mode) ? retold(before, mode, came || replugged) : before.told;

  const { absentSince: _since, toldBootloader: _told, told: _word, ...rest } = before;
  const learned = learn(before, sighting);
  const keptTold =
    told !== undefined && learned.passive.state === "identified" && !claimsSame(learned.passive, before.passive) ? undefined : told;
  const after: Memory = {
    ...rest,
    ...learned,
    ...(keptTold === undefined ? {} : { told: keptTold }),
    ...(toldBootloader ? { toldBootloader } : {}),
    origin: { ...before.origin, place: origin.place },
    device,
    presence: "present",
    mode,
  };
  if (isDeepStrictEqual(after, before)) return { memory: before, drafts: [] };

  const memory = { ...after, lastSeen: moment.at };
  const types: HistoryEntry["type"][] = [];
  if (came) types.push("attached");
  if (near === 0) types.push("moved");
  else if (!came && moment.sameBoot && wasReattached(before.device, device, replugged) && mode === before.mode) types.push("reattached");
  if (mode !== before.mode) types.push("bootloader");
  if (isNews(before, memory, moment)) types.push("identified");
  return { memory, drafts: types.map((type) => draft({ type, memory, moment, before })) };
}

/** A known radio that this scan does not show, or, if `dismissed`, shows to be none. */
export function detach(before: Memory, moment: Moment, dismissed: boolean): Change {
  if (before.presence === "absent") return { memory: before, drafts: [] };
  const memory: Memory = { ...before, presence: "absent", absentSince: moment.at, lastSeen: moment.lastScanAt ?? before.lastSeen };
  return { memory, drafts: [draft({ type: "detached", memory, moment, ...(dismissed ? { reason: "dismissed" } : {}) })] };
}

/** Whether what is believed of the radio changed, not only why. */
export function isNews(before: Memory, after: Memory, { overrides }: Moment): boolean {
  return !claimsSame(identityOf(before, overrides), identityOf(after, overrides));
}

function learn(before: Memory, { device, identity }: Sighting): Pick<Memory, "home" | "passive"> {
  const onlyBootloaderKnown = before.passive.mode === "bootloader";
  if (identity.mode === "bootloader" && !onlyBootloaderKnown) return { home: before.home, passive: before.passive };
  const passive = onlyBootloaderKnown ? identity : learnPassive({ device: before.home, identity: before.passive }, { device, identity });
  const kept = passive === before.passive && identity.state !== passive.state;
  return { home: kept ? before.home : device, passive };
}

/** After a flash, or in a port that stands for any such stick, what was once told is only likely. */
function retold({ told, basis, mode }: Memory, now: Identity["mode"], replugged: boolean): Memory["told"] {
  if (told === undefined) return undefined;
  const flashed = mode === "bootloader" && now === "application";
  return flashed || (replugged && basis === "port") ? doubted(told) : told;
}

/** Whether the device has been plugged in all the time between two sightings; true for what is not on USB. */
export function isSameEnumeration(left: Device, right: Device): boolean {
  return left.usb?.busNumber === right.usb?.busNumber && left.usb?.deviceNumber === right.usb?.deviceNumber;
}

/** A driver that binds later gives the same device another function and path; that is no replug. */
function wasReattached(before: Device, now: Device, replugged: boolean): boolean {
  return replugged || (before.function === now.function && before.sysPath !== now.sysPath);
}
