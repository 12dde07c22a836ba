/**
 * Which remembered radio a sighted device is. Pure, and independent of the order of either side.
 *
 * 1. Devices that say the same of themselves (USB ids, serial number, interface) form a group, and so do the radios
 *    remembered with it. Nothing is ever recognized across groups, except a bootloader (rule 4).
 * 2. Within a group a device is first of all the radio that was last in its port.
 * 3. A stick with a real serial number is also recognized in another port, if it can be nobody else: it is the only
 *    device left of its group and its radio the only one left. So twins with one serial number keep their ids by port,
 *    and one of them keeps its id on a move as long as the others sit where they were.
 * 4. A bootloader is the radio with the same real serial number, else the one that was in the same port until just
 *    now, if that radio's application isn't there.
 */
import type { IdentifiedDevice } from "../core/identity.ts";
import type { Memory } from "./memory.ts";
import { compareNaturally, groupKey, nearness, type Origin } from "./origin.ts";

export interface Sighting extends IdentifiedDevice {
  readonly origin: Origin;
}

/** Rules 1 to 3. */
export function recognize(sightings: readonly Sighting[], memories: readonly Memory[]): ReadonlyMap<Sighting, Memory> {
  const found = new Map<Sighting, Memory>();
  const remembered = byGroup(byId(memories));
  for (const [key, devices] of byGroup(bySysPath(sightings))) {
    const group = remembered.get(key);
    if (group !== undefined) recognizeGroup({ devices, group, found });
  }
  return found;
}

interface Group {
  readonly devices: readonly Sighting[];
  readonly group: readonly Memory[];
  readonly found: Map<Sighting, Memory>;
}

function recognizeGroup({ devices, group, found }: Group): void {
  const left = new Set(group);
  for (const wanted of [3, 2, 1]) {
    for (const device of devices) {
      if (found.has(device)) continue;
      const match = [...left].find(({ origin }) => nearness(origin.place, device.origin.place) === wanted);
      if (match === undefined) continue;
      found.set(device, match);
      left.delete(match);
    }
  }
  const strangers = devices.filter((device) => !found.has(device));
  const [stranger] = strangers;
  const [missing] = left;
  if (stranger !== undefined && strangers.length === 1 && missing?.basis === "serial" && left.size === 1) found.set(stranger, missing);
}

/** Whether an id for this stranger may come from its serial number: no other stick with that number is known. */
export function hasUniqueSerial(stranger: Sighting, sightings: readonly Sighting[], memories: Iterable<Memory>): boolean {
  if (stranger.origin.serial === undefined) return false;
  const key = groupKey(stranger.origin);
  for (const { origin } of memories) if (groupKey(origin) === key) return false;
  return sightings.every((other) => other === stranger || groupKey(other.origin) !== key);
}

/** How long after it was missed a radio may come back in its port as a bootloader: time to hold a button and replug. */
const bootloaderWindowMs = 5 * 60_000;

/** Rule 4. `memories` are those whose application was not sighted. */
export function recognizeBootloaders(
  sightings: readonly Sighting[],
  memories: readonly Memory[],
  at: string,
): ReadonlyMap<Sighting, Memory> {
  const found = new Map<Sighting, Memory>();
  const left = new Set([...memories].sort(byOwnership));
  for (const owner of [ownerBySerial, ownerByPort(at)]) {
    for (const device of bySysPath(sightings)) {
      const match = found.has(device) ? undefined : owner(device, [...left]);
      if (match === undefined) continue;
      found.set(device, match);
      left.delete(match);
    }
  }
  return found;
}

function ownerBySerial({ origin }: Sighting, memories: readonly Memory[]): Memory | undefined {
  if (origin.serial === undefined) return undefined;
  const named = memories.filter((memory) => memory.origin.serial === origin.serial);
  const near = named.find((memory) => nearness(memory.origin.place, origin.place) > 0);
  const places = new Set(named.map((memory) => JSON.stringify(memory.origin.place)));
  return near ?? (places.size === 1 ? named.find(({ basis }) => basis === "serial") : undefined);
}

function ownerByPort(at: string) {
  return ({ device, origin }: Sighting, memories: readonly Memory[]): Memory | undefined => {
    if (device.usb === undefined) return undefined;
    return memories.find(
      (memory) =>
        memory.home.usb !== undefined &&
        nearness(memory.origin.place, origin.place) >= 2 &&
        (memory.absentSince === undefined || Date.parse(at) - Date.parse(memory.absentSince) <= bootloaderWindowMs),
    );
  };
}

function byGroup<T extends { readonly origin: Origin }>(all: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = groupKey(one.origin);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}

function bySysPath(sightings: readonly Sighting[]): readonly Sighting[] {
  return [...sightings].sort((left, right) => compareNaturally(left.device.sysPath, right.device.sysPath));
}

function byId(memories: readonly Memory[]): readonly Memory[] {
  return [...memories].sort(order);
}

/** What was there a moment ago goes first, then the first of a stick's functions. */
function byOwnership(left: Memory, right: Memory): number {
  const gone = ({ presence }: Memory): number => (presence === "present" ? 0 : 1);
  return gone(left) - gone(right) || compareNaturally(left.origin.lane, right.origin.lane) || order(left, right);
}

function order(left: Memory, right: Memory): number {
  return compareNaturally(left.id, right.id);
}
