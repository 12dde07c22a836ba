/** The kernel's log, read whole from `/dev/kmsg` (kernel: Documentation/ABI/testing/dev-kmsg). */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { KernelMessage, Reading } from "../core/check.ts";
import { errnoOf } from "../core/errors.ts";
import { isAbsent, isUnreadable, wasRead } from "../core/reading.ts";
import type { Breather } from "./breather.ts";
import { toPrintable } from "./decode-text.ts";
import { toReading } from "./read-error.ts";

/** A record is at most CONSOLE_EXT_LOG_MAX bytes (include/linux/printk.h); a shorter buffer gives EINVAL. */
const recordBytes = 8192;
/** The ring holds 2^CONFIG_LOG_BUF_SHIFT bytes, up to 32 MiB: only the newest are kept. */
const limits = { messages: 20_000, reads: 1_000_000 } as const;

/**
 * What the kernel itself has said since boot, oldest first, as far as its ring still has it. Never waits. What programs
 * have written into the log is left out: anybody with `/dev/kmsg` could say anything there.
 */
export async function readKernelLog(path: string, breathe: Breather, signal: AbortSignal): Promise<Reading<readonly KernelMessage[]>> {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    return errnoOf(error) === "EPERM" || errnoOf(error) === "EACCES"
      ? isUnreadable(`/dev/kmsg may not be read (${errnoOf(error)}): that takes CAP_SYSLOG where kernel.dmesg_restrict is 1`)
      : toReading(error);
  }
  try {
    const kind = fstatSync(descriptor);
    if (!kind.isCharacterDevice() && !kind.isFile()) return isAbsent;
    const messages: KernelMessage[] = [];
    const buffer = Buffer.allocUnsafe(kind.isFile() ? 1024 * 1024 : recordBytes);
    for (let reads = 0; reads < limits.reads; reads += 1) {
      const length = readRecord(descriptor, buffer);
      if (length === "end") return wasRead(messages);
      // A made-up tree has a plain file there, with a record a line.
      for (const record of kind.isFile() ? buffer.toString("utf8", 0, length).split("\n") : [buffer.toString("utf8", 0, length)]) {
        const message = parseKernelRecord(record);
        if (message !== undefined) messages.push(message);
      }
      if (messages.length > limits.messages * 2) messages.splice(0, messages.length - limits.messages);
      await breathe();
      if (signal.aborted) return isUnreadable("reading the kernel's log took too long");
    }
    return wasRead(messages);
  } catch (error) {
    return toReading(error);
  } finally {
    closeSync(descriptor);
  }
}

/** Bytes of the next record, none for one that was overwritten meanwhile. */
function readRecord(descriptor: number, buffer: Buffer): number | "end" {
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, null);
    return length === 0 ? "end" : length;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "EAGAIN") return "end";
    // EPIPE: overwritten, the next read goes on with what there is. EINVAL: longer than the buffer.
    if (errno === "EPIPE" || errno === "EINVAL") return 0;
    throw error;
  }
}

/** `6,339,5140900,-;NET: Registered protocol family 10`; undefined for what is none, or not the kernel's. */
export function parseKernelRecord(record: string): KernelMessage | undefined {
  const [, priority, microseconds, text] = /^(\d{1,5}),\d{1,20},(\d{1,20}),[^;\n]*;([^\n]*)/.exec(record) ?? [];
  if (priority === undefined || microseconds === undefined || text === undefined) return undefined;
  // The facility is above the three bits of the level; the kernel's is 0 (syslog(2)).
  if (Number(priority) >> 3 !== 0) return undefined;
  return { seconds: Number(microseconds) / 1_000_000, text: toPrintable(unescape(text)) };
}

/** The kernel writes bytes that are not printable, and backslashes, as `\x5c`. */
function unescape(text: string): string {
  if (!text.includes("\\x")) return text;
  const bytes: number[] = [];
  for (const [, hex, plain] of text.matchAll(/\\x([0-9a-f]{2})|([\s\S])/gu)) {
    if (hex === undefined) bytes.push(...Buffer.from(plain ?? "", "utf8"));
    else bytes.push(Number.parseInt(hex, 16));
  }
  return Buffer.from(bytes).toString("utf8");
}
