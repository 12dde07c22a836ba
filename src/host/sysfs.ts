/**
 * Reading sysfs. Reads are synchronous on purpose: the kernel answers them from memory in about ten microseconds,
 * a tenth of what a round trip through the thread pool costs. The few attributes that can wait for a lock are read
 * elsewhere (usb-strings.ts).
 */
import { closeSync, openSync, readSync, readdirSync, readlinkSync, realpathSync, statfsSync } from "node:fs";
import { basename, join } from "node:path";
import { AerialError, errnoOf } from "../core/errors.ts";
import { decodePrintable } from "./decode-text.ts";

/** sysfs gives at most a page per attribute (kernel: Documentation/filesystems/sysfs.rst). */
export const attributeLimit = 4096;

/**
 * All paths are relative to the sysfs root. What is not there, or vanishes while it is read, is undefined or empty.
 * What may not be read is too, after `denied` was told. Throws `host.read` only when the answer would be wrong
 * for want of resources (descriptors, memory): absence must not be concluded from that.
 */
export interface Sysfs {
  /** An attribute's bytes without the one newline that sysfs adds. */
  bytes(path: string): Uint8Array | undefined;
  /** An attribute as printable text. */
  text(path: string): string | undefined;
  /** An attribute that holds a number in `radix`; undefined if it holds something else. */
  number(path: string, radix: 10 | 16): number | undefined;
  /** Names in a directory, sorted by code unit. */
  list(path: string): readonly string[];
  /** The last segment of a link's target, such as a driver's name. */
  linkName(path: string): string | undefined;
  /** The canonical path, all links followed; undefined if that leads out of the tree. */
  resolve(path: string): string | undefined;
}

/** Opens the sysfs mounted at `root`; `denied` gets each path that permissions keep from us. */
export function createSysfs(root: string, denied: (path: string) => void): Sysfs {
  const buffer = Buffer.allocUnsafe(attributeLimit);
  let canonicalRoot: string | undefined;

  const guarded = <T>(path: string, read: (full: string) => T): T | undefined => {
    try {
      return read(join(root, path));
    } catch (error) {
      const verdict = judgeReadError(error);
      if (verdict === "denied") denied(path);
      if (verdict === "failed") throw new AerialError("host.read", `cannot read ${path} in sysfs`, { cause: error });
      return undefined;
    }
  };

  const bytes = (path: string): Uint8Array | undefined =>
    guarded(path, (full) => {
      const descriptor = openSync(full, "r");
      try {
        return withoutNewline(Uint8Array.from(buffer.subarray(0, readSync(descriptor, buffer, 0, attributeLimit, 0))));
      } finally {
        closeSync(descriptor);
      }
    });

  const text = (path: string): string | undefined => {
    const value = bytes(path);
    return value === undefined ? undefined : decodePrintable(value);
  };

  return {
    bytes,
    text,
    number: (path, radix) => parseNumber(text(path), radix),
    list: (path) => guarded(path, (full) => readdirSync(full).sort()) ?? [],
    linkName: (path) => guarded(path, (full) => basename(readlinkSync(full))),
    resolve: (path) =>
      guarded(path, (full) => {
        canonicalRoot ??= `${realpathSync.native(root)}/`;
        const real = realpathSync.native(full);
        return real.startsWith(canonicalRoot) ? real.slice(canonicalRoot.length) : undefined;
      }),
  };
}

/** Whether `root` is the kernel's own sysfs and no made-up tree: only then do netlink answers belong to it. */
export function isSysfs(root: string): boolean {
  try {
    // SYSFS_MAGIC, include/uapi/linux/magic.h
    return statfsSync(root).type === 0x62656572;
  } catch {
    return false;
  }
}

/** `bytes` without one trailing newline. */
export function withoutNewline(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

/** Whether an error of a read in sysfs or `/dev` means that the thing is not there, not for us, or that we failed. */
export function judgeReadError(error: unknown): "absent" | "denied" | "failed" {
  switch (errnoOf(error)) {
    case "EACCES":
    case "EPERM":
      return "denied";
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
    case undefined:
      return "failed";
    default:
      // ENOENT, ENODEV, EIO, ENXIO, ENOTDIR, EINVAL, …: a device that goes away answers with any of these.
      return "absent";
  }
}

function parseNumber(text: string | undefined, radix: 10 | 16): number | undefined {
  const digits = text?.trim().replace(radix === 16 ? /^0x/i : "", "");
  const wanted = radix === 16 ? /^[0-9a-f]{1,8}$/i : /^[0-9]{1,10}$/;
  return digits !== undefined && wanted.test(digits) ? Number.parseInt(digits, radix) : undefined;
}
