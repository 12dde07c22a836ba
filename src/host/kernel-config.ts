/** How the kernel was built, out of `/proc/config.gz` or of the file beside its modules. */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Reading } from "../core/check.ts";
import { errnoOf } from "../core/errors.ts";
import { isAbsent, isUnreadable, wasRead } from "../core/reading.ts";
import { toReading } from "./read-error.ts";

/** A whole configuration is about 300 KiB. */
const limits = { packed: 4 * 1024 * 1024, whole: 8 * 1024 * 1024 } as const;

/** `CONFIG_BT` → `y`, `m`, or a value; absent when it is not set. */
export type KernelOptions = (name: string) => Reading<string>;

export interface KernelConfigPlaces {
  readonly proc: string;
  /** Directories that may hold the running kernel's modules. */
  readonly modules: readonly string[];
}

/** Reads it once, in the thread pool. */
export async function readKernelOptions({ proc, modules }: KernelConfigPlaces): Promise<KernelOptions> {
  const packed = await readIfThere(join(proc, "config.gz"));
  if (packed.state === "unreadable") return () => packed;
  if (packed.state === "read") {
    try {
      return lookUp((await promisify(gunzip)(packed.value, { maxOutputLength: limits.whole })).toString("latin1"));
    } catch (error) {
      return () => isUnreadable(`/proc/config.gz cannot be unpacked (${errnoOf(error) ?? "malformed"})`);
    }
  }
  for (const directory of modules) {
    const plain = await readIfThere(join(directory, "config"));
    if (plain.state === "read") return lookUp(plain.value.toString("latin1"));
  }
  return () => isUnreadable("this kernel does not tell how it was built: there is no /proc/config.gz (CONFIG_IKCONFIG_PROC)");
}

async function readIfThere(path: string): Promise<Reading<Buffer>> {
  try {
    const bytes = await readFile(path);
    return bytes.length > limits.packed ? isUnreadable(`${path} is too long`) : wasRead(bytes);
  } catch (error) {
    return toReading(error);
  }
}

/** Options of a configuration's text (kernel: Documentation/kbuild/kconfig.rst). Total. */
export function lookUp(text: string): KernelOptions {
  return (name) => {
    if (!/^CONFIG_\w+$/.test(name)) return isAbsent;
    const start = text.startsWith(`${name}=`) ? 0 : text.indexOf(`\n${name}=`) + 1;
    if (start === 0 && !text.startsWith(`${name}=`)) return isAbsent;
    const end = text.indexOf("\n", start);
    const value = text.slice(start + name.length + 1, end < 0 ? undefined : end);
    return wasRead(value.replace(/^"(.*)"$/, "$1"));
  };
}
