/** The inventory's tables. Each write is one transaction. */
import { randomUUID } from "node:crypto";
import type { Database } from "better-sqlite3";
import type { HistoryEntry, HistoryExtent } from "../core/radio.ts";
import type { HistoryQuery } from "./inventory.ts";
import { isMemory, type Memory } from "./memory.ts";
import type { HistoryDraft } from "./state.ts";

/** What is remembered beside radios and history. */
export interface Facts {
  readonly revision: number;
  readonly bootId?: string;
  readonly lastScanAt?: string;
}

/** All that one change writes. */
interface Batch {
  readonly remembered: readonly Memory[];
  readonly forgotten: readonly string[];
  readonly history: readonly HistoryDraft[];
  readonly cursors: ReadonlyMap<string, number>;
  readonly facts: Facts;
}

export interface Stored {
  readonly memories: readonly Memory[];
  readonly cursors: ReadonlyMap<string, number>;
  readonly facts: Facts;
  /** Radios whose row could not be read. */
  readonly unreadable: readonly string[];
}

export interface HistoryLimits {
  /** Entries kept at least until every reader has dealt with them. */
  readonly entries: number;
  readonly days: number;
  /** Entries kept at most, whatever the readers have seen. */
  readonly hardEntries: number;
}

const defaultHistoryLimits: HistoryLimits = { entries: 10_000, days: 90, hardEntries: 100_000 };

export interface Store {
  load(): Stored;
  /** Writes all of it or, throwing SQLite's error, nothing. */
  write(batch: Batch): void;
  history(query: HistoryQuery): readonly HistoryEntry[];
  extent(): HistoryExtent;
  close(): void;
}

/** Opens the tables of a database that has the current schema. */
export function createStore(database: Database, limits: HistoryLimits = defaultHistoryLimits): Store {
  const historyId = readHistoryId(database);
  const remember = database.prepare("INSERT INTO radio (id, memory) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET memory = excluded.memory");
  const forget = database.prepare("DELETE FROM radio WHERE id = ?");
  const append = database.prepare("INSERT INTO history (at, type, radio_id, text, details) VALUES (?, ?, ?, ?, ?)");
  const setCursor = database.prepare(
    "INSERT INTO cursor (reader, sequence) VALUES (?, ?) ON CONFLICT (reader) DO UPDATE SET sequence = excluded.sequence",
  );
  const setFact = database.prepare("INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value");
  const ends = database.prepare<[], { oldest: number | null; newest: number | null }>(
    "SELECT (SELECT min(sequence) FROM history) AS oldest, (SELECT seq FROM sqlite_sequence WHERE name = 'history') AS newest",
  );
  const columns = "SELECT sequence, at, type, radio_id AS radioId, text, details FROM history WHERE sequence > ?";
  const prepareSelect = (order: string) => ({
    all: database.prepare<[number, number], HistoryRow>(`${columns} ORDER BY ${order} LIMIT ?`),
    ofRadio: database.prepare<[number, string, number], HistoryRow>(`${columns} AND radio_id = ? ORDER BY ${order} LIMIT ?`),
  });
  const oldestFirst = prepareSelect("sequence");
  const newestFirst = prepareSelect("sequence DESC");
  const prune = createPrune(database, limits);

  const write = database.transaction((batch: Batch): void => {
    for (const memory of batch.remembered) remember.run(memory.id, JSON.stringify(memory));
    for (const id of batch.forgotten) forget.run(id);
    for (const { at, type, radioId, text, details } of batch.history) append.run(at, type, radioId, text, JSON.stringify(details));
    for (const [reader, sequence] of batch.cursors) setCursor.run(reader, sequence);
    for (const [name, value] of Object.entries(batch.facts)) if (value !== undefined) setFact.run(name, String(value));
    const newest = batch.history.at(-1);
    if (newest !== undefined) prune(newest.at);
  });

  return {
    load: () => loadAll(database),
    write: (batch) => write.immediate(batch),
    history({ after = 0, radioId, limit, newest = false }) {
      const select = newest ? newestFirst : oldestFirst;
      const rows = radioId === undefined ? select.all.all(after, limit) : select.ofRadio.all(after, radioId, limit);
      return rows.map(toHistoryEntry);
    },
    extent() {
      const { oldest, newest } = ends.get() ?? {};
      return { historyId, oldest: oldest ?? (newest ?? 0) + 1, newest: newest ?? 0 };
    },
    close: () => void database.close(),
  };
}

type HistoryRow = Omit<HistoryEntry, "details"> & { readonly details: string };

function toHistoryEntry(row: HistoryRow): HistoryEntry {
  return { ...row, details: JSON.parse(row.details) as HistoryEntry["details"] };
}

function readHistoryId(database: Database): string {
  database.prepare("INSERT INTO fact (name, value) VALUES ('historyId', ?) ON CONFLICT (name) DO NOTHING").run(randomUUID());
  return String(database.prepare<[], string>("SELECT value FROM fact WHERE name = 'historyId'").pluck().get());
}

/** Reads row by row until the end or an error: a row that is no memory is passed to `unreadable`. */
export function* readMemories(database: Database, unreadable: (id: string) => void): Generator<Memory, void, undefined> {
  for (const row of database.prepare<[], { id: string; memory: string }>("SELECT id, memory FROM radio ORDER BY id").iterate()) {
    const memory = parseMemory(row.memory);
    if (memory?.id === row.id) yield memory;
    else unreadable(row.id);
  }
}

function loadAll(database: Database): Stored {
  const unreadable: string[] = [];
  const memories = [...readMemories(database, (id) => unreadable.push(id))];
  const cursors = new Map(
    database
      .prepare<[], { reader: string; sequence: number }>("SELECT reader, sequence FROM cursor")
      .all()
      .map(({ reader, sequence }) => [reader, sequence]),
  );
  const facts = new Map(
    database
      .prepare<[], { name: string; value: string }>("SELECT name, value FROM fact")
      .all()
      .map(({ name, value }) => [name, value]),
  );
  const bootId = facts.get("bootId");
  const lastScanAt = facts.get("lastScanAt");
  return {
    memories,
    unreadable,
    cursors,
    facts: {
      revision: Number(facts.get("revision") ?? 0),
      ...(bootId === undefined ? {} : { bootId }),
      ...(lastScanAt === undefined ? {} : { lastScanAt }),
    },
  };
}

function parseMemory(text: string): Memory | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMemory(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const dayMs = 86_400_000;

/**
 * Takes the oldest entries away, always from the front so that no gap arises: those too many or too old that every
 * reader has dealt with, and those beyond the hard limit in any case.
 */
function createPrune(database: Database, limits: HistoryLimits): (now: string) => void {
  const ends = database.prepare<[string], { oldest: number | null; newest: number | null; young: number | null; seen: number | null }>(
    `SELECT (SELECT min(sequence) FROM history) AS oldest, (SELECT max(sequence) FROM history) AS newest,
            (SELECT sequence FROM history WHERE at >= ? ORDER BY sequence LIMIT 1) AS young, (SELECT min(sequence) FROM cursor) AS seen`,
  );
  const remove = database.prepare("DELETE FROM history WHERE sequence <= ?");
  return (now) => {
    const { oldest, newest, young, seen } = ends.get(new Date(Date.parse(now) - limits.days * dayMs).toISOString()) ?? {};
    if (oldest == null || newest == null) return;
    const old = young == null ? newest : young - 1;
    const wanted = Math.max(newest - limits.entries, old);
    const upTo = Math.max(Math.min(wanted, seen ?? wanted), newest - limits.hardEntries);
    if (upTo >= oldest) remove.run(upTo);
  };
}
