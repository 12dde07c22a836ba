/** What is in the host's `/dev`, entry by entry. Nothing is opened. */
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { DeviceNodeFacts, Reading } from "../core/check.ts";
import { isUnreadable, wasRead } from "../core/reading.ts";
import type { Breather } from "./breather.ts";
import type { NodeReader } from "./node-reader.ts";
import { toReading } from "./read-error.ts";
import { judgeReadError } from "./sysfs.ts";

/** Directories of `/dev` in which there is something to know; the others hold terminals, disks and memory. */
const directories = ["", "net", "serial", "serial/by-id", "serial/by-path", "vfio", "input"] as const;
const entryLimit = 16_384;

/** The entries of `/dev` and of the directories in it that radios use, sorted by path. */
export async function readDeviceEntries(root: string, nodes: NodeReader, breathe: Breather): Promise<Reading<readonly DeviceNodeFacts[]>> {
  const found: DeviceNodeFacts[] = [];
  for (const directory of directories) {
    let names: readonly string[];
    try {
      names = readdirSync(join(root, directory));
    } catch (error) {
      if (directory === "" || judgeReadError(error) !== "absent") return toReading(error);
      continue;
    }
    if (found.length + names.length > entryLimit) return isUnreadable(`/dev has more than ${entryLimit} entries`);
    for (const name of names) {
      const path = join(directory, name);
      const entry = readEntry(join(root, path), `/dev/${path}`, nodes);
      if (entry !== undefined) found.push(entry);
      await breathe();
    }
  }
  return wasRead(found.sort((left, right) => (left.path < right.path ? -1 : 1)));
}

function readEntry(full: string, path: string, nodes: NodeReader): DeviceNodeFacts | undefined {
  try {
    const { type, major, minor, mode, uid, gid } = nodes.lstat(full);
    const numbers = type === "character" || type === "block" ? { major, minor } : {};
    return { path, type, ...numbers, mode, uid, gid, ...(type === "link" && { target: readlinkSync(full) }) };
  } catch {
    // Gone meanwhile.
    return undefined;
  }
}
