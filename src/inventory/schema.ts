/** The database's schema, one migration a version. `PRAGMA user_version` says which have been applied. */
import type { Database } from "better-sqlite3";

/** Never changed once released; a new version is a new entry. */
const migrations: readonly string[] = [
  `CREATE TABLE radio (
     id TEXT PRIMARY KEY,
     memory TEXT NOT NULL -- JSON, see memory.ts
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE history (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     at TEXT NOT NULL,
     type TEXT NOT NULL,
     radio_id TEXT NOT NULL,
     text TEXT NOT NULL,
     details TEXT NOT NULL -- JSON object of strings
   ) STRICT;
   CREATE INDEX history_of_radio ON history (radio_id, sequence);
   CREATE TABLE cursor (
     reader TEXT PRIMARY KEY,
     sequence INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE fact (
     name TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
];

export const schemaVersion = migrations.length;

/** The version a database was written with; 0 when it is new. */
export function readSchemaVersion(database: Database): number {
  return Number(database.pragma("user_version", { simple: true }));
}

/** Brings a database of an older version, or an empty one, to this one, in one transaction. */
export function migrate(database: Database): void {
  const from = readSchemaVersion(database);
  if (from >= schemaVersion) return;
  database.transaction(() => {
    for (const migration of migrations.slice(from)) database.exec(migration);
    database.pragma(`user_version = ${schemaVersion}`);
  })();
}
