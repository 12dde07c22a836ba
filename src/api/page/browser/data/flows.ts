/** How much goes over each link, out of counters that only rise. */
import type { RelayStatus } from "./model.ts";

/** Packets a second. */
export interface Flow {
  readonly heard: number;
  /** Heard here and carried on. */
  readonly carried: number;
  readonly sent: number;
}

export interface Flows {
  /** By the link's name. */
  readonly links: ReadonlyMap<string, Flow>;
  /** What the next reading is compared with. */
  readonly last?: { readonly atMs: number; readonly totals: ReadonlyMap<string, Flow> };
}

export const noFlows: Flows = { links: new Map() };

/** A shorter time than this says little. */
const shortestMs = 900;

/** The flows after another reading of the counters; `nowMs` of a clock that never goes back. */
export function nextFlows(before: Flows, { links }: Pick<RelayStatus, "links">, nowMs: number): Flows {
  const seconds = before.last === undefined ? 0 : (nowMs - before.last.atMs) / 1_000;
  if (before.last !== undefined && seconds * 1_000 < shortestMs) return before;
  const totals = new Map(links.map(({ name, heard, sent }) => [name, toTotals(heard, sent)]));
  const rates = new Map<string, Flow>();
  for (const [name, total] of totals) {
    const old = before.last?.totals.get(name);
    // Counters that fell belong to another run of the relay.
    if (old === undefined || total.heard < old.heard || total.sent < old.sent) continue;
    const rate = (which: keyof Flow): number => Math.max(0, total[which] - old[which]) / seconds;
    rates.set(name, { heard: rate("heard"), carried: rate("carried"), sent: rate("sent") });
  }
  return { links: rates, last: { atMs: nowMs, totals } };
}

function toTotals(heard: Readonly<Record<string, number>>, sent: number): Flow {
  const all = Object.values(heard).reduce((sum, count) => sum + count, 0);
  return { heard: all, carried: (heard["relayed"] ?? 0) + (heard["trimmed"] ?? 0), sent };
}
