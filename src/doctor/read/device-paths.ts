/** Paths of `/dev` as pods and people write them. */
import { posix } from "node:path";
import type { DeviceNodeFacts, Facts } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";

/** The node a path leads to, links such as those of `/dev/serial/by-id` followed; undefined where it leads nowhere. */
export function nodeBehind(facts: Facts, path: string): DeviceNodeFacts | undefined {
  let at = posix.normalize(path);
  // Deeper than udev ever links; a loop ends here too.
  for (let depth = 0; depth < 8; depth += 1) {
    const entry = valueOf(facts.deviceNode(at));
    if (entry?.type !== "link" || entry.target === undefined) return entry;
    at = posix.resolve(posix.dirname(at), entry.target);
  }
  return undefined;
}
