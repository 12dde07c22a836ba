/** What the process itself takes of the machine's files. */
import { readdirSync, statSync } from "node:fs";

/** How many file descriptors are open (proc_pid_fd(5)); undefined where `/proc` does not say. */
export function countOpenFiles(): number | undefined {
  try {
    // One is of the directory itself, while it is read.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return undefined;
  }
}

/** Bytes of those of the files that are there; undefined where none is. */
export function sizeOfFiles(paths: readonly string[]): number | undefined {
  const sizes = paths.flatMap((path) => statSync(path, { throwIfNoEntry: false })?.size ?? []);
  return sizes.length === 0 ? undefined : sizes.reduce((all, size) => all + size, 0);
}
