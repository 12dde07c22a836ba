/** A whole scan: who is there, who came, went, moved, and who is new. Pure. */
import type { IdentifiedDevice } from "../core/identity.ts";
import type { IdBasis, InventoryEvent } from "../core/radio.ts";
import { attach, detach, isSameEnumeration, meet, type Change } from "./attendance.ts";
import { believedIdentity, overrideFor } from "./belief.ts";
import { draft, type Moment } from "./history-draft.ts";
import { toForget } from "./forget.ts";
import type { Memory } from "./memory.ts";
import { compareNaturally, toOrigins } from "./origin.ts";
import { allocateRadioId } from "./radio-id.ts";
import { hasUniqueSerial, recognize, recognizeBootloaders, type Sighting } from "./recognize.ts";
import type { HistoryDraft, InventoryState } from "./state.ts";

export interface ScanReduction {
  readonly memories: ReadonlyMap<string, Memory>;
  readonly others: readonly IdentifiedDevice[];
  readonly changes: readonly HistoryDraft[];
}

type Scanned = Extract<InventoryEvent, { readonly type: "scanned" }>;

export function reduceScan(state: InventoryState, event: Scanned): ScanReduction {
  const sightings = toSightings(event.devices);
  const known = [...state.memories.values()];
  const application = sightings.filter(({ identity }) => identity.mode === "application");
  const bootloaders = sightings.filter(({ identity }) => identity.mode === "bootloader");

  const recognized = new Map(recognize(application, known));
  const dismissed = new Set<Memory>();
  const replaced = new Set<Memory>();
  for (const [sighting, memory] of recognized) {
    if (isStillRadio(state, sighting, memory)) continue;
    recognized.delete(sighting);
    if (isSameEnumeration(memory.device, sighting.device)) dismissed.add(memory);
    else replaced.add(memory);
  }
  const claimed = new Set([...recognized.values(), ...dismissed, ...replaced]);
  const unclaimed = known.filter((memory) => !claimed.has(memory));
  const owned = recognizeBootloaders(bootloaders, unclaimed, event.at);
  for (const [sighting, memory] of owned) recognized.set(sighting, memory);
  const orphans = bootloaders.filter((sighting) => !owned.has(sighting) && isRadio(state, sighting));
  const ownedMemories = new Set(owned.values());
  const free = unclaimed.filter((memory) => !ownedMemories.has(memory));
  for (const [sighting, memory] of recognize(orphans, free)) recognized.set(sighting, memory);

  const moment: Moment = { at: event.at, sameBoot: state.sameBoot, overrides: state.overrides, ...lastSeenOf(state) };
  const memories = new Map<string, Memory>();
  const changes: HistoryDraft[] = [];
  const keep = ({ memory, drafts }: Change): void => {
    memories.set(memory.id, memory);
    changes.push(...drafts);
  };

  const present = new Set(recognized.values());
  const missing = known.filter((one) => !present.has(one));
  const forgotten = toForget(missing, state, event.at);
  for (const memory of missing) {
    if (forgotten.has(memory)) changes.push(draft({ type: "forgotten", memory, moment }));
    else keep(detach(memory, moment, dismissed.has(memory)));
  }
  for (const [sighting, memory] of [...recognized].sort(([, left], [, right]) => compareNaturally(left.id, right.id))) {
    keep(attach(memory, sighting, moment));
  }
  const others: IdentifiedDevice[] = [];
  const taken = (id: string): boolean => memories.has(id) || state.memories.has(id);
  for (const sighting of sightings) {
    if (recognized.has(sighting)) continue;
    if (!isRadio(state, sighting)) {
      others.push({ device: sighting.device, identity: sighting.identity });
      continue;
    }
    const basis = basisFor(sighting, sightings, state.memories.values());
    const id = allocateRadioId({ origin: sighting.origin, basis, node: state.node, taken });
    keep(meet({ id, basis, sighting }, moment));
  }
  return { memories, others, changes };
}

/** In the order of their sysfs paths, so that nothing depends on the order within the scan. */
function toSightings(devices: readonly IdentifiedDevice[]): readonly Sighting[] {
  const origins = toOrigins(devices.map(({ device }) => device));
  return devices
    .flatMap(({ device, identity }) => {
      const origin = origins.get(device.sysPath);
      return origin === undefined ? [] : [{ device, identity, origin }];
    })
    .sort((left, right) => compareNaturally(left.device.sysPath, right.device.sysPath));
}

function basisFor(sighting: Sighting, sightings: readonly Sighting[], known: Iterable<Memory>): IdBasis {
  if (sighting.device.usb === undefined) return "path";
  return hasUniqueSerial(sighting, sightings, known) ? "serial" : "port";
}

/** Identified or ambiguous, as it is or because people say so; a bootloader of nobody we know only if it is identified. */
function isRadio({ overrides }: InventoryState, { device, identity }: Sighting): boolean {
  const kind = overrideFor(overrides, device, "kind");
  const { state } = believedIdentity({ device, passive: identity, ...(kind === undefined ? {} : { kind }) });
  return identity.mode === "bootloader" ? state === "identified" : state !== "unknown";
}

/** A remembered radio whose device is now known to be none stays one only if people say so. */
function isStillRadio(state: InventoryState, sighting: Sighting, memory: Memory): boolean {
  return memory.kind !== undefined || isRadio(state, sighting);
}

function lastSeenOf({ lastScanAt }: InventoryState): { readonly lastScanAt?: string } {
  return lastScanAt === undefined ? {} : { lastScanAt };
}
