/** A whole scan: who is there, who came, went, moved, and who is new. Pure. */
import { attachmentOf } from "../core/device.ts";
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
  const known = [...state.memories.values()].sort((left, right) => compareNaturally(left.id, right.id));
  const { recognized, dismissed } = recognizeAll(state, { sightings, known, at: event.at });
  const moment: Moment = { at: event.at, sameBoot: state.sameBoot, overrides: state.overrides, ...lastScanOf(state) };
  const memories = new Map<string, Memory>();
  const changes: HistoryDraft[] = [];
  const keep = ({ memory, drafts }: Change): void => {
    memories.set(memory.id, memory);
    changes.push(...drafts);
  };

  const present = new Map([...recognized].map(([sighting, memory]) => [memory, sighting]));
  const missing = known.filter((memory) => !present.has(memory));
  const forgotten = toForget(missing, state, event.at);
  for (const memory of missing) {
    if (forgotten.has(memory)) changes.push(draft({ type: "forgotten", memory, moment }));
    else keep(detach(memory, moment, dismissed.has(memory)));
  }
  for (const memory of known) {
    const sighting = present.get(memory);
    if (sighting !== undefined) keep(attach(memory, sighting, moment));
  }
  const strangers = sightings.filter((sighting) => !recognized.has(sighting));
  const taken = (id: string): boolean => memories.has(id) || state.memories.has(id);
  for (const sighting of strangers.filter((one) => isRadio(state, one))) {
    const basis = basisFor(sighting, sightings, known);
    const id = allocateRadioId({ origin: sighting.origin, basis, node: state.node, taken });
    keep(meet({ id, basis, sighting }, moment));
  }
  // What offers itself on the network and is no radio is no matter of this machine.
  const others = strangers
    .filter((one) => !isRadio(state, one) && attachmentOf(one.device) === "local")
    .map(({ device, identity }) => ({ device, identity }));
  return { memories, others, changes };
}

interface Scene {
  readonly sightings: readonly Sighting[];
  readonly known: readonly Memory[];
  readonly at: string;
}

interface Recognition {
  readonly recognized: ReadonlyMap<Sighting, Memory>;
  /** Radios whose device is there, and was all the time, but is now known to be none. */
  readonly dismissed: ReadonlySet<Memory>;
}

/** Applications first; then bootloaders among the radios whose application isn't there; then those that nobody owns. */
function recognizeAll(state: InventoryState, { sightings, known, at }: Scene): Recognition {
  const recognized = new Map<Sighting, Memory>();
  const dismissed = new Set<Memory>();
  const claimed = new Set<Memory>();
  const application = sightings.filter(({ identity }) => identity.mode === "application");
  for (const [sighting, memory] of recognize(application, known)) {
    claimed.add(memory);
    if (isStillRadio(state, sighting, memory)) recognized.set(sighting, memory);
    else if (isSameEnumeration(memory.device, sighting.device)) dismissed.add(memory);
  }
  const free = (): readonly Memory[] => known.filter((memory) => !claimed.has(memory));
  const settle = (found: ReadonlyMap<Sighting, Memory>): void => {
    for (const [sighting, memory] of found) {
      recognized.set(sighting, memory);
      claimed.add(memory);
    }
  };
  const bootloaders = sightings.filter(({ identity }) => identity.mode === "bootloader");
  settle(recognizeBootloaders(bootloaders, free(), at));
  const orphans = bootloaders.filter((sighting) => !recognized.has(sighting) && isRadio(state, sighting));
  settle(recognize(orphans, free()));
  return { recognized, dismissed };
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

function basisFor(sighting: Sighting, sightings: readonly Sighting[], known: readonly Memory[]): IdBasis {
  if (attachmentOf(sighting.device) === "network") return sighting.origin.serial === undefined ? "name" : "serial";
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

function lastScanOf({ lastScanAt }: InventoryState): { readonly lastScanAt?: string } {
  return lastScanAt === undefined ? {} : { lastScanAt };
}
