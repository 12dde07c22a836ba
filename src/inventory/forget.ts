/** Which absent radios are not worth remembering any longer. Pure. */
import { overrideFor } from "./belief.ts";
import { identityOf, type Memory } from "./memory.ts";
import type { InventoryState } from "./state.ts";

/** Absent radios kept at most, so that a stick that invents a serial number at every start can't fill the memory. */
export const mostAbsent = 500;

const dayMs = 86_400_000;

/**
 * Of the `missing` radios, those without name, given kind and lease that were never identified with certainty and have
 * been absent for longer than `forgetAfterDays`; and beyond `mostAbsent` the longest absent ones nobody has named.
 */
export function toForget(missing: readonly Memory[], state: InventoryState, at: string): ReadonlySet<Memory> {
  const free = missing.filter((memory) => memory.presence === "absent" && memory.absentSince !== undefined && isUnclaimed(memory, state));
  const forgotten = new Set(free.filter((memory) => isUncertain(memory, state) && absentMs(memory, at) > state.forgetAfterDays * dayMs));
  const excess = missing.length - forgotten.size - mostAbsent;
  if (excess > 0) {
    const rest = free
      .filter((memory) => !forgotten.has(memory))
      .sort((left, right) => absentMs(right, at) - absentMs(left, at) || byId(left, right));
    for (const memory of rest.slice(0, excess)) forgotten.add(memory);
  }
  return forgotten;
}

function isUnclaimed({ name, kind, lease, home }: Memory, { overrides }: InventoryState): boolean {
  return name === undefined && kind === undefined && lease === undefined && overrideFor(overrides, home, "name") === undefined;
}

function isUncertain(memory: Memory, { overrides }: InventoryState): boolean {
  const identity = identityOf(memory, overrides);
  return identity.state !== "identified" || identity.certainty !== "certain";
}

function absentMs({ absentSince = "" }: Memory, at: string): number {
  return Date.parse(at) - Date.parse(absentSince);
}

function byId(left: Memory, right: Memory): number {
  return left.id < right.id ? -1 : 1;
}
