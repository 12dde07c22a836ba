/** Which boot of the kernel this is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The kernel's random id of this boot (`/proc/sys/kernel/random/boot_id`, random(4)), or undefined where it can't be read. */
export function readBootId(proc: string): string | undefined {
  try {
    const text = readFileSync(join(proc, "sys/kernel/random/boot_id"), "utf8").trim();
    return /^[0-9a-f-]{36}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
