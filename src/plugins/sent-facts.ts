/** Facts on their way to a plugin's thread: what its checks have asked for, and the devices. */
import type { Facts, Reading } from "../core/check.ts";
import { fitsPathGlob } from "../core/path-glob.ts";
import { isAbsent, isUnreadable } from "../core/reading.ts";

/** Plain data, for structuredClone. */
export interface SentFacts extends Pick<Facts, "at" | "node" | "machine" | "kernel" | "os" | "radios" | "others"> {
  readonly entries: readonly { readonly path: string; readonly file: Reading<string>; readonly link: Reading<string> }[];
  readonly globs: readonly { readonly glob: string; readonly unlisted?: string }[];
}

export function toSentFacts(facts: Facts, reads: readonly string[]): SentFacts {
  const { at, node, machine, kernel, os, radios, others } = facts;
  const globs = [...new Set(reads)];
  const paths = [...new Set(globs.flatMap((glob) => facts.paths(glob)))];
  return {
    at,
    node,
    machine,
    kernel,
    os,
    radios,
    others,
    entries: paths.map((path) => ({ path, file: facts.file(path), link: facts.link(path) })),
    globs: globs.map((glob) => toSentGlob(glob, facts.unlisted(glob))),
  };
}

function toSentGlob(glob: string, unlisted: string | undefined): SentFacts["globs"][number] {
  return unlisted === undefined ? { glob } : { glob, unlisted };
}

const withheld = isUnreadable("plugins in files of their own are not told this");

/** As a check sees them. What was not sent says so, and is never absent. */
export function toFacts({ entries, globs, ...facts }: SentFacts): Facts {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const missing = (path: string): Reading<never> => {
    const covering = globs.filter(({ glob }) => fitsPathGlob(glob, path));
    if (covering.length === 0) return isUnreadable("no check of this plugin has asked for it");
    const why = covering.find(({ unlisted }) => unlisted !== undefined)?.unlisted;
    return why === undefined ? isAbsent : isUnreadable(why);
  };
  return {
    ...facts,
    file: (path) => byPath.get(path)?.file ?? missing(path),
    link: (path) => byPath.get(path)?.link ?? missing(path),
    paths: (glob) => [...byPath.keys()].filter((path) => fitsPathGlob(glob, path)).toSorted(),
    unlisted: (wanted) => globs.find(({ glob }) => glob === wanted)?.unlisted,
    deviceNode: () => withheld,
    deviceNodes: [],
    moduleFor: () => withheld,
    isBuiltIn: () => false,
    kernelOption: () => withheld,
    kernelLog: withheld,
    processes: withheld,
    bluez: withheld,
    services: [],
    conditions: new Set(),
  };
}
