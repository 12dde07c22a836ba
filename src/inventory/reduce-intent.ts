/** Everything but scans: what people, probes and holders want of one radio. Pure. */
import { isDeepStrictEqual } from "node:util";
import { AerialError } from "../core/errors.ts";
import type { InventoryEvent, Lease, RadioPodEvent } from "../core/radio.ts";
import { isNews } from "./attendance.ts";
import { doubted, overrideFor } from "./belief.ts";
import { draft, type Moment, type Occasion } from "./history-draft.ts";
import { without, type Memory } from "./memory.ts";
import type { HistoryDraft, InventoryState, Reduction } from "./state.ts";

type Intent = Exclude<InventoryEvent, { readonly type: "scanned" }>;
type OfRadio = Exclude<Intent, RadioPodEvent>;
type Of<T extends Intent["type"]> = Extract<Intent, { readonly type: T }>;

interface Outcome {
  readonly memory: Memory;
  readonly occasions: readonly Omit<Occasion, "memory" | "moment">[];
}

/** Throws `inventory.unknown-radio`, `inventory.leased`, `inventory.invalid-name`, `inventory.name-taken` or `inventory.invalid-kind`. */
export function reduceIntent(state: InventoryState, event: Intent): Reduction {
  const before = state.memories.get(event.id);
  if (before === undefined) {
    throw new AerialError("inventory.unknown-radio", `no radio has the id ${event.id}`, { details: { id: event.id } });
  }
  const moment: Moment = { at: event.at, sameBoot: state.sameBoot, overrides: state.overrides };
  if (isOfPod(event)) {
    const { type, at: _at, id: _id, ...done } = event;
    return { state: { ...state, memories: new Map(state.memories) }, changes: [draft({ type, memory: before, moment, done })] };
  }
  const { memory, occasions } = outcome(before, event);
  if (event.type === "named") requireFree(memory, state);
  if (isDeepStrictEqual(memory, before)) return { state, changes: [] };
  const changes: HistoryDraft[] = occasions.map((occasion) => draft({ ...occasion, memory, moment, before }));
  if (isNews(before, memory, moment)) changes.push(draft({ type: "identified", memory, moment, before }));
  return { state: { ...state, memories: new Map(state.memories).set(memory.id, memory) }, changes };
}

function isOfPod(event: Intent): event is RadioPodEvent {
  return event.type === "container-restarted" || event.type === "pod-evicted";
}

function outcome(before: Memory, event: OfRadio): Outcome {
  if (event.type === "identified") return identified(before, event);
  if (event.type === "leased") return leased(before, event.lease);
  if (event.type === "released") return released(before, event);
  if (event.type === "named") return { memory: { ...without(before, "name"), ...named(event) }, occasions: [{ type: "named" }] };
  return { memory: { ...without(before, "kind"), ...ofKind(event) }, occasions: [{ type: "overridden" }] };
}

/** Only an identification counts: having learned nothing, a probe leaves what was known. */
function identified(before: Memory, { identity }: Of<"identified">): Outcome {
  if (identity.mode === "bootloader") {
    const occasions: Outcome["occasions"] = before.mode === "bootloader" ? [] : [{ type: "bootloader" }];
    return { memory: { ...before, mode: "bootloader", ...(before.mode === "bootloader" ? {} : { toldBootloader: true }) }, occasions };
  }
  const awake = before.toldBootloader === true;
  const rest = without(before, "toldBootloader");
  return {
    memory: { ...rest, ...(awake ? { mode: "application" } : {}), ...(identity.state === "identified" ? { told: identity } : {}) },
    occasions: awake ? [{ type: "bootloader" }] : [],
  };
}

/** Higher goes before lower and takes the radio from it. A flash waits until the radio is free and then gives way to nobody. */
const precedence: Record<Lease["holder"], number> = { probe: 1, bridge: 2, pod: 3, flash: 0 };

function leased(before: Memory, lease: Lease): Outcome {
  const held = before.lease;
  if (held?.holder === lease.holder && held.owner === lease.owner) return { memory: before, occasions: [] };
  const memory = { ...before, lease };
  const taking = { type: "leased", holder: lease.holder, owner: lease.owner } as const;
  if (held === undefined) return { memory, occasions: [taking] };
  if (held.holder === "flash" || precedence[lease.holder] <= precedence[held.holder]) {
    throw new AerialError("inventory.leased", `${before.id} is held by ${held.holder} (${held.owner}) since ${held.since}`, {
      details: { id: before.id, holder: held.holder, owner: held.owner, since: held.since },
    });
  }
  return { memory, occasions: [{ type: "released", holder: held.holder, owner: held.owner, reason: "preempted" }, taking] };
}

/** Who does not hold it, or not any more, has nothing to release. What was learned before a flash may not hold after it. */
function released(before: Memory, { owner }: Of<"released">): Outcome {
  const { lease, told } = before;
  if (lease?.owner !== owner) return { memory: before, occasions: [] };
  const memory = {
    ...without(before, "lease"),
    ...(lease.holder === "flash" && told !== undefined ? { told: doubted(told) } : {}),
  };
  return { memory, occasions: [{ type: "released", holder: lease.holder, owner }] };
}

/** No control, format, private or unassigned characters, no line breaks; 63 characters at most. */
const nameShape = /^[^\p{C}\p{Zl}\p{Zp}]{1,63}$/u;

function named({ name }: Of<"named">): Pick<Memory, "name"> {
  if (name === undefined) return {};
  const trimmed = name.trim();
  if (!nameShape.test(trimmed)) {
    throw new AerialError("inventory.invalid-name", `${JSON.stringify(name.slice(0, 80))} can't be the name of a radio`);
  }
  return { name: trimmed };
}

/** A name has to be enough to tell which radio is meant, and so have ids. @throws AerialError `inventory.name-taken` */
function requireFree({ id, name }: Memory, { memories, overrides }: InventoryState): void {
  if (name === undefined) return;
  for (const other of memories.values()) {
    if (other.id === id) continue;
    if (other.id === name || (other.name ?? overrideFor(overrides, other.home, "name")) === name)
      throw new AerialError("inventory.name-taken", `${JSON.stringify(name)} is what ${other.id} is called`, { details: { id: other.id } });
  }
}

const kindShape = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

function ofKind({ kind }: Of<"overridden">): Pick<Memory, "kind"> {
  if (kind === undefined) return {};
  if (!kindShape.test(kind)) {
    throw new AerialError("inventory.invalid-kind", `${JSON.stringify(kind.slice(0, 80))} can't be a kind of radio`);
  }
  return { kind };
}
