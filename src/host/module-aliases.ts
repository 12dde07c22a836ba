/** Which kernel module takes a device: `modules.alias` and its like, as depmod(8) writes them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Reading } from "../core/check.ts";
import { isAbsent, isUnreadable, wasRead } from "../core/reading.ts";
import { fitsModuleGlob } from "./module-glob.ts";
import { toReading } from "./read-error.ts";

export interface ModuleAliases {
  /** The module for a modalias, one that can be loaded before one that is built in; absent: none takes it. */
  moduleFor(modalias: string): Reading<string>;
  /** Whether the module is part of the kernel itself. */
  isBuiltIn(module: string): boolean;
}

/** Debian's whole kernel has 1.5 MiB of it. */
const limit = 16 * 1024 * 1024;
const longestModalias = 1024;

/** Reads the lists of the first of the directories that has them. They are let go of with the answer. */
export async function readModuleAliases(directories: readonly string[]): Promise<ModuleAliases> {
  let why = `there is no modules.alias in ${directories.join(" or ")}; mount the host's /usr/lib/modules`;
  for (const directory of directories) {
    const aliases = await readText(join(directory, "modules.alias"));
    if (aliases.state === "unreadable") why = `${join(directory, "modules.alias")}: ${aliases.why}`;
    if (aliases.state !== "read") continue;
    const info = await readText(join(directory, "modules.builtin.modinfo"));
    const builtIn = await readText(join(directory, "modules.builtin"));
    return parseModuleAliases({
      aliases: aliases.value,
      builtInInfo: info.state === "read" ? info.value : "",
      builtIn: builtIn.state === "read" ? builtIn.value : "",
    });
  }
  return { moduleFor: () => isUnreadable(why), isBuiltIn: () => false };
}

async function readText(path: string): Promise<Reading<string>> {
  try {
    const text = await readFile(path, "latin1");
    return text.length > limit ? isUnreadable(`is longer than ${limit} bytes`) : wasRead(text);
  } catch (error) {
    return toReading(error);
  }
}

interface ModuleLists {
  /** `modules.alias`: `alias usb:v10C4pEA60d*dc*dsc*dp*ic*isc*ip*in* cp210x`. */
  readonly aliases: string;
  /** `modules.builtin.modinfo`: `cdc_acm.alias=usb:…`, each ended by a zero byte. */
  readonly builtInInfo: string;
  /** `modules.builtin`: `kernel/drivers/usb/class/cdc-acm.ko`. */
  readonly builtIn: string;
}

export function parseModuleAliases({ aliases, builtInInfo, builtIn }: ModuleLists): ModuleAliases {
  const builtInNames = new Set(builtIn.split("\n").flatMap((line) => /([^/]+)\.ko$/.exec(line.trim())?.[1]?.replaceAll("-", "_") ?? []));
  return {
    moduleFor(modalias) {
      if (modalias.length > longestModalias) return isUnreadable("the modalias is too long");
      const found = loadable(aliases, modalias) ?? inKernel(builtInInfo, modalias);
      return found === undefined ? isAbsent : wasRead(found);
    },
    isBuiltIn: (module) => builtInNames.has(module.replaceAll("-", "_")),
  };
}

/** The text is searched for the alias' bus (`usb:`), so that nothing is kept but the text itself. */
function loadable(text: string, modalias: string): string | undefined {
  for (const line of linesWith(text, `alias ${busOf(modalias)}`, "\n")) {
    const [, glob, module] = /^alias (\S+) (\S+)$/.exec(line) ?? [];
    if (glob !== undefined && module !== undefined && fitsModuleGlob(glob, modalias)) return module;
  }
  return undefined;
}

function inKernel(text: string, modalias: string): string | undefined {
  for (const line of linesWith(text, `.alias=${busOf(modalias)}`, "\0")) {
    const [, module, glob] = /^([\w-]+)\.alias=(\S+)$/.exec(line) ?? [];
    if (glob !== undefined && module !== undefined && fitsModuleGlob(glob, modalias)) return module;
  }
  return undefined;
}

/** `usb:` of `usb:v10C4pEA60…`. */
function busOf(modalias: string): string {
  return modalias.slice(0, modalias.indexOf(":") + 1) || modalias;
}

function* linesWith(text: string, words: string, separator: string): Generator<string> {
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at)) {
    const start = text.lastIndexOf(separator, at) + 1;
    const end = text.indexOf(separator, at);
    yield text.slice(start, end < 0 ? undefined : end);
    if (end < 0) return;
    at = end;
  }
}
