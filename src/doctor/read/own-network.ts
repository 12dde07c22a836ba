/** Whether a program is in the network that is examined: one in another, such as a pod's own, has interfaces and ports of its own. */
import type { Facts, ProcessFacts } from "../../core/check.ts";
import { valueOf } from "../../core/reading.ts";

/** Where the kernel tells which network namespace this examination is of. */
export const ownNetwork = "/proc/self/ns/net";

/** Only what is known to be elsewhere is: a namespace that may not be read proves nothing. `ownNetwork` is to be read. */
export function isElsewhere(facts: Facts): (process: ProcessFacts) => boolean {
  const own = valueOf(facts.link(ownNetwork));
  return ({ network }) => own !== undefined && network !== undefined && network !== own;
}
