/** The inventory's one rule book: state and event in, state and history out. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { InventoryEvent } from "../core/radio.ts";
import type { Memory } from "./memory.ts";
import { reduceIntent } from "./reduce-intent.ts";
import { reduceScan } from "./reduce-scan.ts";
import type { InventoryState, Reduction } from "./state.ts";

/**
 * Parts of the state that an event leaves alone are the same objects afterwards, so comparing references tells what
 * changed. Throws `inventory.unknown-radio`, `inventory.leased`, `inventory.invalid-name`, `inventory.name-taken`, `inventory.invalid-kind`.
 */
export function reduce(state: InventoryState, event: InventoryEvent): Reduction {
  if (event.type !== "scanned") return reduceIntent(state, event);
  const { memories, others, changes } = reduceScan(state, event);
  return {
    state: {
      ...state,
      complete: true,
      sameBoot: true,
      memories: sameEntries(state.memories, memories) ? state.memories : memories,
      others: isDeepStrictEqual(state.others, others) ? state.others : others,
      lastScanAt: event.at,
    },
    changes,
  };
}

function sameEntries(left: ReadonlyMap<string, Memory>, right: ReadonlyMap<string, Memory>): boolean {
  if (left.size !== right.size) return false;
  for (const [id, memory] of left) if (right.get(id) !== memory) return false;
  return true;
}
