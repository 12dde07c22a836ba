/**
 * Files and links below `/proc`, `/sys`, `/run` and the kubelet's directory, by glob: what the doctor's checks ask for.
 * Reads are synchronous in small slices, as in sysfs.ts, but for attributes that wait for a device's lock: those go
 * through the thread pool, one at a time, and are given up after a while.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Reading } from "../core/check.ts";
import { errnoOf } from "../core/errors.ts";
import { isAbsent, isUnreadable, wasRead } from "../core/reading.ts";
import type { Breather } from "./breather.ts";
import type { HostPaths } from "./host-paths.ts";
import { fitsPathGlob, fitsSegment, isGlob } from "../core/path-glob.ts";
import { toReading } from "./read-error.ts";
import { judgeReadError } from "./sysfs.ts";

/** What was found, by the paths the host calls it. */
export interface Tree {
  file(path: string): Reading<string>;
  link(path: string): Reading<string>;
  paths(glob: string): readonly string[];
  /** Why `paths` may be missing some: a directory that could not be listed. */
  unlisted(glob: string): string | undefined;
}

export interface TreeRequest {
  readonly paths: HostPaths;
  readonly globs: readonly string[];
  readonly breathe: Breather;
}

/** Tables of the network and of modules grow with the machine; nothing else that is worth reading is that long. */
const limits = { file: 64 * 1024, table: 1024 * 1024, all: 16 * 1024 * 1024, matches: 4096, directory: 16_384 } as const;
const lockedDeadlineMs = 1_000;

/**
 * Attributes read under the device's lock (drivers/usb/core/sysfs.c, usb_lock_device_interruptible) or from the chip
 * itself (hwmon): a broken device can keep them for many seconds.
 */
const lockedAttribute =
  /\/(?:manufacturer|product|serial|bMaxPower|bmAttributes|bNumInterfaces|configuration)$|\/hwmon\d+\/\w+_(?:input|alarm)$/;

/** What is never read: it blocks, wakes devices, changes by being read, or is memory. */
const forbidden =
  /^\/proc\/(?:kmsg|kcore|kpage\w+|sysrq-trigger|vmcore|acpi\/|bus\/pci\/)|^\/proc\/[^/]+\/(?:mem|pagemap|environ|clear_refs)$|^\/sys\/kernel\/(?:debug|tracing)\/|^\/sys\/.*\/(?:rom|vpd|config|resource\d\w*)$/;

interface Entry {
  readonly file: Reading<string>;
  readonly link: Reading<string>;
}

export async function readTree({ paths, globs, breathe }: TreeRequest, signal: AbortSignal): Promise<Tree> {
  const toHost = createPathMap(paths);
  const entries = new Map<string, Entry>();
  const matches = new Map<string, readonly string[]>();
  const unlisted = new Map<string, string>();
  const wanted = [...new Set(globs)];
  const buffer = Buffer.allocUnsafe(limits.file);
  let left: number = limits.all;

  for (const glob of wanted) {
    const found = await expand(glob, { toHost, breathe, cannotList: (why) => unlisted.set(glob, why) }, signal);
    matches.set(glob, found);
    for (const path of found) {
      if (entries.has(path)) continue;
      const entry = await readEntry(path, { full: toHost(path) ?? path, buffer, left }, signal);
      entries.set(path, entry);
      if (entry.file.state === "read") left -= entry.file.value.length;
      await breathe();
    }
  }

  const covered = (path: string): boolean => wanted.some((glob) => fitsPathGlob(glob, path));
  const missing = (path: string): Reading<never> => {
    if (!covered(path)) return isUnreadable("no check has asked for it");
    const why = wanted.filter((glob) => fitsPathGlob(glob, path)).flatMap((glob) => unlisted.get(glob) ?? []);
    return why[0] === undefined ? isAbsent : isUnreadable(why[0]);
  };
  return {
    file: (path) => entries.get(path)?.file ?? missing(path),
    link: (path) => entries.get(path)?.link ?? missing(path),
    paths: (glob) => matches.get(glob) ?? [...entries.keys()].filter((path) => fitsPathGlob(glob, path)).sort(),
    unlisted: (glob) => unlisted.get(glob),
  };
}

/** From the host's name of a path to where this process finds it; undefined for what is none of the trees. */
function createPathMap(paths: HostPaths): (path: string) => string | undefined {
  const roots = [
    ["/proc", paths.proc],
    ["/sys", paths.sys],
    ["/run", paths.run],
    ["/var/lib/kubelet", paths.kubelet ?? "/var/lib/kubelet"],
  ] as const;
  return (path) => {
    const root = roots.find(([name]) => path === name || path.startsWith(`${name}/`));
    return root === undefined ? undefined : join(root[1], path.slice(root[0].length));
  };
}

interface Expansion {
  readonly toHost: (path: string) => string | undefined;
  readonly breathe: Breather;
  readonly cannotList: (why: string) => void;
}

async function expand(glob: string, { toHost, breathe, cannotList }: Expansion, signal: AbortSignal): Promise<readonly string[]> {
  let found: string[] = [""];
  for (const segment of glob.split("/").slice(1)) {
    const next: string[] = [];
    for (const parent of found) {
      await breathe();
      if (signal.aborted) {
        cannotList("the time for this examination was up");
        return [];
      }
      if (isGlob(segment)) next.push(...list(parent, segment));
      else next.push(`${parent}/${segment}`);
      if (next.length > limits.matches) {
        cannotList(`more than ${limits.matches} paths fit`);
        break;
      }
    }
    found = next.slice(0, limits.matches);
  }
  return found.filter(exists).sort();

  function list(parent: string, segment: string): string[] {
    const full = toHost(parent);
    if (full === undefined) return [];
    try {
      const names = readdirSync(full);
      if (names.length > limits.directory) cannotList(`${parent} has more than ${limits.directory} entries`);
      return names
        .slice(0, limits.directory)
        .filter((name) => fitsSegment(segment, name))
        .sort()
        .map((name) => `${parent}/${name}`);
    } catch (error) {
      if (judgeReadError(error) !== "absent") cannotList(`${parent} cannot be listed (${errnoOf(error) ?? "unknown error"})`);
      return [];
    }
  }

  function exists(path: string): boolean {
    const full = toHost(path);
    if (full === undefined) return false;
    try {
      return lstatSync(full, { throwIfNoEntry: false }) !== undefined;
    } catch (error) {
      if (judgeReadError(error) !== "absent") cannotList(`${path} cannot be looked at (${errnoOf(error) ?? "unknown error"})`);
      return false;
    }
  }
}

interface Source {
  readonly full: string;
  readonly buffer: Buffer;
  /** Bytes that may still be read in this examination. */
  readonly left: number;
}

async function readEntry(path: string, source: Source, signal: AbortSignal): Promise<Entry> {
  const link = readLink(source.full);
  if (signal.aborted) return { file: isUnreadable("the time for this examination was up"), link };
  if (forbidden.test(path)) return { file: isUnreadable("aerial does not read this"), link };
  const limit = Math.min(/^\/proc\/(?:net\/|[^/]+\/net\/|modules$)/.test(path) ? limits.table : limits.file, source.left);
  if (limit <= 0) return { file: isUnreadable("too much was asked for in this examination"), link };
  const file = lockedAttribute.test(path) ? await readLocked(source.full) : readFile(source.full, source.buffer, limit);
  return { file, link };
}

function readLink(full: string): Reading<string> {
  try {
    return wasRead(basename(readlinkSync(full)));
  } catch (error) {
    return errnoOf(error) === "EINVAL" ? isUnreadable("is no symbolic link") : toReading(error);
  }
}

function readFile(full: string, buffer: Buffer, limit: number): Reading<string> {
  try {
    // Asked before it is opened: opening a device can do things.
    const kind = statSync(full);
    if (!kind.isFile()) return isUnreadable(kind.isDirectory() ? "is a directory" : "is no plain file");
    const descriptor = openSync(full, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      if (!fstatSync(descriptor).isFile()) return isUnreadable("is no plain file");
      const parts: Buffer[] = [];
      let length = 0;
      for (;;) {
        // procfs gives at most a page or so a read.
        const count = readSync(descriptor, buffer, 0, buffer.length, null);
        if (count === 0) return wasRead(toText(Buffer.concat(parts)));
        length += count;
        if (length > limit) return isUnreadable(`is longer than ${limit} bytes`);
        parts.push(Buffer.from(buffer.subarray(0, count)));
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return toReading(error);
  }
}

/** Held by a read that waits for a device, until it is answered: the others' threads must not wait with it. */
let lockedRead: Promise<unknown> | undefined;

async function readLocked(full: string): Promise<Reading<string>> {
  const busy = isUnreadable(`the kernel keeps the device busy: no answer within ${lockedDeadlineMs} ms`);
  if (lockedRead !== undefined) return busy;
  const answer = readInPool(full);
  lockedRead = answer;
  void answer.finally(() => (lockedRead = undefined));
  const timer = new AbortController();
  const late = sleep(lockedDeadlineMs, busy, { signal: timer.signal, ref: false }).catch(() => busy);
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
  }
}

async function readInPool(full: string): Promise<Reading<string>> {
  for (;;) {
    try {
      await using file = await open(full, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      if (!(await file.stat()).isFile()) return isUnreadable("is no plain file");
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, null);
      return wasRead(toText(buffer.subarray(0, bytesRead)));
    } catch (error) {
      // A signal that arrives while the thread waits for the lock interrupts it.
      if (errnoOf(error) !== "EINTR") return toReading(error);
    }
  }
}

function toText(bytes: Uint8Array): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  // Strings of the device tree end in a zero byte.
  return text.replace(/[\n\0]$/, "");
}
