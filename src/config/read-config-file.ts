/** The bytes of a file that people wrote. */
import { readFileSync } from "node:fs";
import { AerialError, errnoOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";

/**
 * Undefined where an optional file is not there. `called` is how messages call it.
 * @throws AerialError `config.unreadable`
 */
export function readConfigFile(file: string, how: { readonly called: string; readonly optional: boolean }): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (how.optional && errnoOf(error) === "ENOENT") return undefined;
    throw new AerialError("config.unreadable", `cannot read ${how.called} ${printable(file)}: ${errnoOf(error) ?? String(error)}`, {
      cause: error,
    });
  }
}
