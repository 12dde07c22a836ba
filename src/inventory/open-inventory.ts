/** The inventory: one state, one write door, one database. */
import { Cell } from "../core/cell.ts";
import { timestamp, type Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import type { Log } from "../core/log.ts";
import type { InventoryEvent, Radio, Snapshot } from "../core/radio.ts";
import type { RadioOverride } from "./belief.ts";
import { draft } from "./history-draft.ts";
import type { Inventory } from "./inventory.ts";
import { createLedger } from "./ledger.ts";
import { toRadio, without, type Memory } from "./memory.ts";
import { openStore } from "./open-store.ts";
import { compareNaturally } from "./origin.ts";
import { reduce } from "./reduce.ts";
import type { HistoryDraft, InventoryState, Reduction } from "./state.ts";
import type { Facts, HistoryLimits, Stored } from "./store.ts";

export interface InventoryOptions {
  /** The database file; its directory is made if need be. */
  readonly file: string;
  readonly node: string;
  /** `/proc/sys/kernel/random/boot_id`: tells a reboot from a replug. */
  readonly bootId?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  readonly overrides?: readonly RadioOverride[];
  /** Days until an absent radio is forgotten that has no name and was never identified with certainty; 30. */
  readonly forgetAfterDays?: number;
  readonly historyLimits?: HistoryLimits;
  /** History entries kept in memory while the disk refuses; 10,000. */
  readonly pendingLimit?: number;
}

/**
 * Opens the inventory with all that is remembered. Whatever the disk does, it works: see the conditions
 * `inventory.reset` and `inventory.not-stored`. Throws `inventory.unusable` while another process has the database open.
 */
export async function openInventory(options: InventoryOptions): Promise<Inventory & AsyncDisposable> {
  const { bootId, clock, log, conditions } = options;
  const opened = await openStore(options);
  const stored = opened.store.load();
  let state = restore(options, stored);
  let { revision } = stored.facts;
  const ledger = createLedger({ pendingLimit: 10_000, ...options, opened, ...stored, memories: state.memories });
  if (stored.unreadable.length > 0) {
    conditions.raise("inventory.reset", "warning", `${stored.unreadable.length} remembered radios could not be read and are lost.`);
  }

  const facts = (): Facts => ({
    revision,
    ...(bootId === undefined ? {} : { bootId }),
    ...(state.lastScanAt === undefined ? {} : { lastScanAt: state.lastScanAt }),
  });
  const commit = ({ state: after, changes }: Reduction): void => {
    const before = state.memories;
    state = after;
    revision += 1;
    ledger.record({ before, after: after.memories, history: changes, facts: facts() });
    for (const { type, details } of changes) log.info({ type, model: details["model"], port: details["port"] }, "radio changed");
  };

  const freed = freeLeases(state, timestamp(clock));
  if (freed.changes.length > 0) commit(freed);
  const toSnapshot = createSnapshots();
  const cell = new Cell(toSnapshot(state, revision));
  log.info({ radios: state.memories.size }, "inventory opened");

  return {
    get historyId() {
      return ledger.stored.current.historyId;
    },
    stored: ledger.stored,
    get current() {
      return cell.current;
    },
    changes: (signal) => cell.changes(signal),
    apply(event: InventoryEvent): Snapshot {
      const reduction = reduce(state, event);
      if (isNew(state, reduction.state)) commit(reduction);
      else {
        ({ state } = reduction);
        if (!ledger.behind || !ledger.retry(facts())) return cell.current;
        // Nothing is new but what history shows: its readers have to look again.
        revision += 1;
      }
      cell.set(toSnapshot(state, revision));
      return cell.current;
    },
    history: (query) => ledger.history(query),
    cursor: (reader) => ledger.cursor(reader),
    advanceCursor: (reader, sequence) => ledger.advanceCursor(reader, sequence),
    async [Symbol.asyncDispose]() {
      ledger.retry(facts());
      ledger[Symbol.dispose]();
    },
  };
}

function restore({ node, bootId, overrides = [], forgetAfterDays = 30 }: InventoryOptions, { memories, facts }: Stored): InventoryState {
  return {
    node,
    overrides,
    forgetAfterDays,
    complete: false,
    sameBoot: facts.bootId === bootId,
    memories: new Map(memories.map((memory) => [memory.id, memory])),
    others: [],
    ...(facts.lastScanAt === undefined ? {} : { lastScanAt: facts.lastScanAt }),
  };
}

/** Probes, bridges and flashes end with the process that did them; a pod does not. */
function freeLeases(state: InventoryState, at: string): Reduction {
  const memories = new Map(state.memories);
  const changes: HistoryDraft[] = [];
  for (const before of state.memories.values()) {
    const { lease } = before;
    if (lease === undefined || lease.holder === "pod") continue;
    const memory = without(before, "lease");
    memories.set(memory.id, memory);
    const { holder, owner } = lease;
    changes.push(
      draft({ type: "released", memory, moment: { at, sameBoot: true, overrides: state.overrides }, reason: "restart", holder, owner }),
    );
  }
  return { state: { ...state, memories }, changes };
}

function isNew(before: InventoryState, after: InventoryState): boolean {
  return before.memories !== after.memories || before.others !== after.others || before.complete !== after.complete;
}

/** Makes snapshots in which a radio that did not change is the same object as before. */
function createSnapshots(): (state: InventoryState, revision: number) => Snapshot {
  const known = new WeakMap<Memory, Radio>();
  const show = (memory: Memory, { overrides }: InventoryState): Radio => {
    const radio = known.get(memory) ?? toRadio(memory, overrides);
    known.set(memory, radio);
    return radio;
  };
  return (state, revision) => {
    const { node, complete, others } = state;
    const shown = [...state.memories.values()].map((memory) => show(memory, state));
    const radios = complete ? shown : shown.map(notYetSeen);
    return {
      revision,
      node,
      complete,
      radios: new Map(radios.sort((a, b) => compareNaturally(a.id, b.id)).map((radio) => [radio.id, radio])),
      others,
    };
  };
}

/** Until the first whole scan nothing is known to be here; nor is it missed. */
function notYetSeen(radio: Radio): Radio {
  return radio.presence === "absent" ? radio : { ...radio, presence: "absent" };
}
