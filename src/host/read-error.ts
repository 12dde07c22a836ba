/** A failed read as a `Reading`: what is not there is told from what cannot be known. */
import type { Reading } from "../core/check.ts";
import { errnoOf } from "../core/errors.ts";
import { isAbsent, isUnreadable } from "../core/reading.ts";
import { judgeReadError } from "./sysfs.ts";

/** Never throws: want of descriptors or memory is a reason like any other here. */
export function toReading(error: unknown): Reading<never> {
  const verdict = judgeReadError(error);
  if (verdict === "absent") return isAbsent;
  const errno = errnoOf(error) ?? "unknown error";
  return isUnreadable(verdict === "denied" ? `permission denied (${errno})` : `reading failed (${errno})`);
}
