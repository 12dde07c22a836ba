/** Who relays between which links, a line whenever that changes. */
import type { Watch } from "../core/cell.ts";
import type { Log } from "../core/log.ts";
import type { RelayPairStatus } from "../core/relay.ts";

/** Writes until the signal aborts. */
export async function logRoles(pairs: Watch<readonly RelayPairStatus[]>, log: Log, signal: AbortSignal): Promise<void> {
  let said = new Map<string, string>();
  for await (const current of pairs.changes(signal)) {
    const next = new Map<string, string>();
    for (const { links, family, role, why } of current) {
      for (const each of family === undefined ? [4, 6] : [family]) next.set(`${each} ${links.join(" ")}`, role);
      const known = (family === undefined ? [4, 6] : [family]).every((each) => said.get(`${each} ${links.join(" ")}`) === role);
      if (known) continue;
      log.info({ links, ...(family !== undefined && { family: `IPv${family}` }), why }, role === "active" ? "relaying" : "standing by");
    }
    said = next;
  }
}
