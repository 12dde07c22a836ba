/** What is at a path, told from what was there before. */
import { lstatSync } from "node:fs";

/** The file's number, and its time too, since numbers are used again; undefined where there is nothing, or nothing to be seen. */
export function inodeOf(path: string): string | undefined {
  try {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return found && `${found.dev}:${found.ino}:${found.birthtimeNs}`;
  } catch {
    return undefined;
  }
}
