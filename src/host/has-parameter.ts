/** Whether there is a kernel parameter to set. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { HostPaths } from "./host-paths.ts";

/** By its path below `/proc/sys` or `/sys`: `net/ipv6/conf/eth0/accept_ra`. False for what leads out of there, and where nobody can tell. */
export function hasParameter(paths: Pick<HostPaths, "proc" | "sys">, tree: "sysctl" | "sysfs", path: string): boolean {
  if (path.split("/").some((segment) => segment === "" || segment === "." || segment === "..")) return false;
  const root = tree === "sysctl" ? join(paths.proc, "sys") : paths.sys;
  try {
    return statSync(join(root, path), { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    return false;
  }
}
