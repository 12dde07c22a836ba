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
   * another device takes its place; `denied` gets each path that permissions keep from us. Resolves to `busy` when the
   * kernel keeps the device locked past the deadline. Throws `host.read` when descriptors or memory run out.
   */
  read(path: string, enumeration: string, denied: (path: string) => void): Promise<UsbStrings | "busy">;
}

/** At most this many threads of libuv's four may wait for locked devices. */
const threadLimit = 2;

export interface UsbStringDeps {
  /** Where sysfs is mounted. */
  readonly root: string;
  readonly clock: Clock;
  readonly deadlineMs?: number;
}

interface Answer {
  readonly strings: UsbStrings;
  /** Attributes that may not be read. */
  readonly denied: readonly string[];
}

interface Remembered {
  readonly enumeration: string;
  readonly answer: Promise<Answer>;
}

export function createUsbStringReader({ root, clock, deadlineMs = 1_000 }: UsbStringDeps): UsbStringReader {
  const remembered = new Map<string, Remembered>();
  const enter = createTurnstile(threadLimit);

  const remember = (path: string, enumeration: string): Promise<Answer> => {
    const answer = enter(() => readAll(join(root, path)));
    const entry = { enumeration, answer };
    remembered.set(path, entry);
    answer.catch(() => {
      if (remembered.get(path) === entry) remembered.delete(path);
    });
    return answer;
  };

  return {
    async read(path, enumeration, denied) {
      // The inode tells a new directory from an old one even where bus and device number came round again.
      const inode = lstatSync(join(root, path), { throwIfNoEntry: false })?.ino;
      const key = `${inode} ${enumeration}`;
      const known = remembered.get(path);
      const answer = await withDeadline(known?.enumeration === key ? known.answer : remember(path, key), clock, deadlineMs);
      if (answer === "busy") return answer;
      for (const attribute of answer.denied) denied(`${path}/${attribute}`);
      return answer.strings;
    },
  };
}

async function withDeadline<T>(work: Promise<T>, clock: Clock, deadlineMs: number): Promise<T | "busy"> {
  const answered = new AbortController();
  const late = clock.sleep(deadlineMs, answered.signal).then(
    () => "busy" as const,
    () => "busy" as const,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    answered.abort(new AerialError("internal.abort", "answered in time"));
  }
}

async function readAll(directory: string): Promise<Answer> {
  const strings: { -readonly [K in keyof UsbStrings]: UsbStrings[K] } = {};
  const denied: string[] = [];
  for (const attribute of attributes) {
    const value = await readLocked(join(directory, attribute));
    if (value === "denied") denied.push(attribute);
    else if (value !== undefined) strings[attribute] = value;
  }
  return { strings, denied };
}

async function readLocked(path: string): Promise<Uint8Array | "denied" | undefined> {
  for (;;) {
    try {
      await using file = await open(path, "r");
      const { buffer, bytesRead } = await file.read(Buffer.alloc(attributeLimit), 0, attributeLimit, null);
      return withoutNewline(Uint8Array.from(buffer.subarray(0, bytesRead)));
    } catch (error) {
      // A signal that arrives while the thread waits for the lock interrupts it.
      if (errnoOf(error) === "EINTR") continue;
      const verdict = judgeReadError(error);
      if (verdict === "failed") throw new AerialError("host.read", `cannot read ${path}`, { cause: error });
      return verdict === "denied" ? verdict : undefined;
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
