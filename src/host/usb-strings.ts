/**
 * The strings of USB devices. Unlike the rest of sysfs, the kernel reads them under the device's lock, which it also
 * holds while a driver probes, resets or resumes the device: a broken stick can keep it for many seconds. So these
 * are read in the thread pool, remembered for as long as the device stays enumerated, and given up after a deadline.
 */
import { lstatSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { AerialError, errnoOf } from "../core/errors.ts";
import { attributeLimit, judgeReadError, withoutNewline } from "./sysfs.ts";

const attributes = ["manufacturer", "product", "serial"] as const;

/** Raw bytes, without sysfs' newline; a string that the device does not have is absent. */
export type UsbStrings = { readonly [K in (typeof attributes)[number]]?: Uint8Array };

export interface UsbStringReader {
  /**
   * The strings of the device at `path` (relative to the sysfs root). `enumeration` is anything that changes when
   * another device takes its place. Resolves to `busy` when the kernel keeps the device locked past the deadline.
   * Throws `host.read` when descriptors or memory run out.
   */
  read(path: string, enumeration: string): Promise<UsbStrings | "busy">;
}

/** At most this many threads of libuv's four may wait for locked devices. */
const threadLimit = 2;

export interface UsbStringDeps {
  /** Where sysfs is mounted. */
  readonly root: string;
  readonly clock: Clock;
  /** Gets each path that permissions keep from us. */
  readonly denied: (path: string) => void;
  readonly deadlineMs?: number;
}

interface Remembered {
  readonly enumeration: string;
  readonly strings: Promise<UsbStrings>;
}

export function createUsbStringReader(deps: UsbStringDeps): UsbStringReader {
  const { root, clock, denied, deadlineMs = 1_000 } = deps;
  const remembered = new Map<string, Remembered>();
  const enter = createTurnstile(threadLimit);

  const remember = (path: string, enumeration: string): Promise<UsbStrings> => {
    const strings = enter(() => readAll(join(root, path), denied));
    const entry = { enumeration, strings };
    remembered.set(path, entry);
    strings.catch(() => {
      if (remembered.get(path) === entry) remembered.delete(path);
    });
    return strings;
  };

  return {
    async read(path, enumeration) {
      // The inode tells a new directory from an old one even where bus and device number came round again.
      const inode = lstatSync(join(root, path), { throwIfNoEntry: false })?.ino;
      const key = `${inode} ${enumeration}`;
      const known = remembered.get(path);
      const strings = known?.enumeration === key ? known.strings : remember(path, key);
      return withDeadline(strings, clock, deadlineMs);
    },
  };
}

async function withDeadline(strings: Promise<UsbStrings>, clock: Clock, deadlineMs: number): Promise<UsbStrings | "busy"> {
  const answered = new AbortController();
  const late = clock.sleep(deadlineMs, answered.signal).then(
    () => "busy" as const,
    () => "busy" as const,
  );
  try {
    return await Promise.race([strings, late]);
  } finally {
    answered.abort(new AerialError("internal.abort", "answered in time"));
  }
}

async function readAll(directory: string, denied: (path: string) => void): Promise<UsbStrings> {
  const strings: { -readonly [K in keyof UsbStrings]: UsbStrings[K] } = {};
  for (const attribute of attributes) {
    const value = await readLocked(join(directory, attribute), denied);
    if (value !== undefined) strings[attribute] = value;
  }
  return strings;
}

async function readLocked(path: string, denied: (path: string) => void): Promise<Uint8Array | undefined> {
  for (;;) {
    try {
      await using file = await open(path, "r");
      const { buffer, bytesRead } = await file.read(Buffer.alloc(attributeLimit), 0, attributeLimit, null);
      return withoutNewline(Uint8Array.from(buffer.subarray(0, bytesRead)));
    } catch (error) {
      // A signal that arrives while the thread waits for the lock interrupts it.
      if (errnoOf(error) === "EINTR") continue;
      const verdict = judgeReadError(error);
      if (verdict === "denied") denied(path);
      if (verdict === "failed") throw new AerialError("host.read", `cannot read ${path}`, { cause: error });
      return undefined;
    }
  }
}

/** Lets at most `limit` jobs run at once, first come first served. */
function createTurnstile(limit: number): <T>(job: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return async (job) => {
    if (inside >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside += 1;
    try {
      return await job();
    } finally {
      const next = waiting.shift();
      if (next === undefined) inside -= 1;
      else next();
    }
  };
}
