/** Opening the database: checking it, putting a broken one aside, and going on without a disk. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Database } from "better-sqlite3";
import type { Clock } from "../core/clock.ts";
import { AerialError, describeError } from "../core/errors.ts";
import type { Memory } from "./memory.ts";
import { migrate, readSchemaVersion, schemaVersion } from "./schema.ts";
import { SqliteDatabase } from "./sqlite.ts";
import { createStore, readMemories, type HistoryLimits, type Store } from "./store.ts";

export interface StoreOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly historyLimits?: HistoryLimits;
}

export interface OpenedStore {
  readonly store: Store;
  /** Set when an unusable database was put aside: what happened and what is lost. */
  readonly reset?: string;
  /** Set when nothing can be written to the disk: why. Then all is kept in memory until the end of the process. */
  readonly memoryOnly?: string;
}

/**
 * Never throws for what the disk does: a broken or newer database is put aside and its radios are carried over as far
 * as they can be read; where nothing can be written, the store is in memory. Throws `inventory.unusable` when another
 * process has the database open.
 */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { file, historyLimits } = options;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return { store: createStore(openFile(file), historyLimits) };
  } catch (error) {
    if (isBusy(error)) {
      throw new AerialError("inventory.unusable", `another process has ${file} open`, { cause: error, details: { file } });
    }
    if (!isDamage(error)) return openInMemory(options, describeError(error));
    return recover(options, describeError(error));
  }
}

/** Puts the database aside and begins a new one with the radios that can still be read, or with `memories` if given. */
export function recover(options: StoreOptions, why: string, memories?: readonly Memory[]): OpenedStore {
  const { file, clock, historyLimits } = options;
  try {
    const kept = memories ?? salvage(file);
    const aside = putAside(file, clock);
    const store = createStore(openFile(file), historyLimits);
    store.write({ remembered: kept, forgotten: [], history: [], cursors: new Map(), facts: { revision: 0 } });
    const saved = kept.length === 0 ? "no radio could be read from it" : `${kept.length} radios were carried over`;
    return { store, reset: `${file} could not be used (${why}). It is now ${aside}; history was lost, ${saved}.` };
  } catch (error) {
    return openInMemory(options, `${why}; ${describeError(error)}`);
  }
}

function openFile(file: string): Database {
  const database = new SqliteDatabase(file, { timeout: 2_000 });
  try {
    // Exclusive: a second daemon is refused, and without shared memory a full disk can't end in SIGBUS.
    database.pragma("locking_mode = EXCLUSIVE");
    const mode = database.pragma("journal_mode = WAL", { simple: true });
    if (mode !== "wal") throw new SqliteDatabase.SqliteError(`journal mode is ${String(mode)}`, "SQLITE_READONLY");
    // Full: after a power cut no sequence may be used again that a reader has already passed on.
    database.pragma("synchronous = FULL");
    database.pragma("wal_autocheckpoint = 250");
    database.pragma("cache_size = -256");
    database.pragma("journal_size_limit = 4194304");
    const check = String(database.pragma("quick_check(1)", { simple: true }));
    if (check !== "ok") throw new SqliteDatabase.SqliteError(check, "SQLITE_CORRUPT");
    const version = readSchemaVersion(database);
    if (version > schemaVersion) throw new SqliteDatabase.SqliteError(`written by a newer aerial (schema ${version})`, "SQLITE_NOTADB");
    migrate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A copy in memory of what the file holds, if it can be read at all. Its history gets a new name: it won't outlive us. */
function openInMemory({ file, historyLimits }: StoreOptions, why: string): OpenedStore {
  const database = copyOf(file) ?? new SqliteDatabase(":memory:");
  try {
    migrate(database);
    database.exec("DELETE FROM fact WHERE name = 'historyId'");
    return { store: createStore(database, historyLimits), memoryOnly: why };
  } catch {
    const empty = new SqliteDatabase(":memory:");
    migrate(empty);
    return { store: createStore(empty, historyLimits), memoryOnly: why };
  }
}

/** Reading a WAL database needs a writable directory, so a read-only one is read as bytes, up to its last checkpoint. */
function copyOf(file: string): Database | undefined {
  try {
    const bytes = readFileSync(file);
    if (bytes.length < 100) return undefined;
    // SQLite file format, offsets 18 and 19: file format versions; 2 is WAL, which a database in memory can't have.
    bytes.fill(1, 18, 20);
    const database = new SqliteDatabase(bytes);
    if (readSchemaVersion(database) > schemaVersion || database.pragma("quick_check(1)", { simple: true }) !== "ok") return undefined;
    return database;
  } catch {
    return undefined;
  }
}

/** The radios of a damaged database, as far as its pages can still be read. */
function salvage(file: string): readonly Memory[] {
  const kept: Memory[] = [];
  try {
    const database = new SqliteDatabase(file, { fileMustExist: true });
    try {
      for (const memory of readMemories(database, () => {})) kept.push(memory);
    } finally {
      database.close();
    }
  } catch {
    return kept;
  }
  return kept;
}

const keptAside = 3;

function putAside(file: string, clock: Clock): string {
  const stamp = new Date(clock.now()).toISOString().replaceAll(":", "");
  const aside = `${file}.broken-${stamp}`;
  for (const suffix of ["", "-wal", "-shm"]) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  const folder = dirname(file);
  const prefix = `${basename(file)}.broken-`;
  const all = readdirSync(folder).filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name));
  for (const name of all.sort().slice(0, -keptAside)) {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder, name + suffix), { force: true });
  }
  return aside;
}

/** SQLite result codes after which the file itself is no good: https://sqlite.org/rescode.html */
export function isDamage(error: unknown): boolean {
  return isSqlite(error) && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
}

function isBusy(error: unknown): boolean {
  return isSqlite(error) && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
}

function isSqlite(error: unknown): error is { readonly code: string } {
  return error instanceof SqliteDatabase.SqliteError;
}
