/** SQLite, in the build that this Node can load: with the other one it would end without a word. */
import { createRequire } from "node:module";
import type BetterSqlite from "better-sqlite3";
import { AerialError } from "../core/errors.ts";

/** What better-sqlite3 13 is built for: Node 22.14 and newer have it. Its version 12 is compiled for one Node, where it is installed. */
const neededNodeApi = 10;

/** Throws `inventory.no-sqlite` where it cannot be loaded. */
function loadSqlite(): typeof BetterSqlite {
  const { napi, node } = process.versions;
  const name = Number(napi) >= neededNodeApi ? "better-sqlite3" : "better-sqlite3-node20";
  try {
    const require = createRequire(import.meta.url);
    const Sqlite = require(name) as typeof BetterSqlite;
    // Its native code is not looked for before there is a database.
    new Sqlite(":memory:").close();
    return Sqlite;
  } catch (error) {
    throw new AerialError("inventory.no-sqlite", `cannot load ${name}, the SQLite for Node ${node}`, { cause: error });
  }
}

export const SqliteDatabase = loadSqlite();
