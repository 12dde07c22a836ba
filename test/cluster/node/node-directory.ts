/** Where a node's files are, and what nodes have left behind whose test process was killed. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sweepCgroups } from "./cgroups.ts";

/** Of all that nodes make on this machine; the id of their test process follows. */
const prefix = "aerial-kube";

/** `aerial-kube-<pid>-<suffix>`: a name by which `sweepNodes` knows whose it is. */
export function nodeResourceName(suffix: string | number): string {
  return `${prefix}-${process.pid}-${suffix}`;
}

export function makeNodeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), nodeResourceName("")));
}

/** Removes the cgroups and files of nodes whose test process is no more. */
export async function sweepNodes(): Promise<void> {
  await sweepCgroups(prefix);
  for (const entry of await readdir(tmpdir())) {
    const pid = new RegExp(`^${prefix}-(\\d+)-`, "u").exec(entry)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await rm(join(tmpdir(), entry), { recursive: true, force: true });
  }
}
