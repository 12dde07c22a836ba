/** Looking at device nodes without opening them. A made-up tree, which can have none, brings its own. */
import { type Stats, lstatSync, statSync } from "node:fs";

export interface NodeReader {
  /** The entry itself, no link followed. Throws as lstat(2) does. */
  lstat(path: string): NodeStat;
  /** What an open descriptor leads to, `/proc/PID/fd/N`; `target` is how its link reads. Throws as stat(2) does. */
  held(path: string, target: string): NodeStat;
}

export interface NodeStat {
  readonly type: "character" | "block" | "directory" | "link" | "other";
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export const kernelNodes: NodeReader = {
  lstat: (path) => toNodeStat(lstatSync(path)),
  held: (path) => toNodeStat(statSync(path)),
};

function toNodeStat(stat: Stats): NodeStat {
  return {
    type: stat.isCharacterDevice()
      ? "character"
      : stat.isBlockDevice()
        ? "block"
        : stat.isDirectory()
          ? "directory"
          : stat.isSymbolicLink()
            ? "link"
            : "other",
    ...toNumbers(stat.rdev),
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
  };
}

/** glibc's encoding of dev_t, which is what the kernel's stat gives on 64-bit systems (sys/sysmacros.h). */
export function toNumbers(device: number): { readonly major: number; readonly minor: number } {
  const low = (device % 2 ** 32) >>> 0;
  const high = Math.floor(device / 2 ** 32);
  return { major: (((low >>> 8) & 0xfff) | (high & 0xfffff000)) >>> 0, minor: (low & 0xff) | ((low >>> 12) & 0xffffff00) };
}
