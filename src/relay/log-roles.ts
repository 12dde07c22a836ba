/** Who relays between which links, a line whenever that changes; where another does, or nobody can, also when the reason changes. */
import type { Watch } from "../core/cell.ts";
import type { Log } from "../core/log.ts";
import type { RelayPairStatus } from "../core/relay.ts";

/** Writes until the signal aborts. */
export async function logRoles(pairs: Watch<readonly RelayPairStatus[]>, log: Log, signal: AbortSignal): Promise<void> {
  let said = new Map<string, string>();
  for await (const current of pairs.changes(signal)) {
    const next = new Map<string, string>();
    for (const { links, family, role, why } of current) {
      const keys = (family === undefined ? [4, 6] : [family]).map((each) => `${each} ${links.join(" ")}`);
      const state = role === "active" ? role : `${role}: ${why}`;
      for (const key of keys) next.set(key, state);
      if (keys.every((key) => said.get(key) === state)) continue;
      log.info({ links, ...(family !== undefined && { family: `IPv${family}` }), why }, role === "active" ? "relaying" : "standing by");
    }
    said = next;
  }
}
