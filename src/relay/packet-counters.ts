/** What became of the packets of each link. */
import type { RelayVerdict } from "../core/relay.ts";

export interface PacketCounters {
  heard(link: string, verdict: RelayVerdict): void;
  sent(link: string): void;
  of(link: string): { readonly heard: Readonly<Partial<Record<RelayVerdict, number>>>; readonly sent: number };
}

export function createPacketCounters(): PacketCounters {
  const links = new Map<string, { heard: Partial<Record<RelayVerdict, number>>; sent: number }>();
  const countersOf = (link: string) => {
    const known = links.get(link);
    if (known !== undefined) return known;
    const fresh: { heard: Partial<Record<RelayVerdict, number>>; sent: number } = { heard: {}, sent: 0 };
    links.set(link, fresh);
    return fresh;
  };
  return {
    heard(link, verdict) {
      const { heard } = countersOf(link);
      heard[verdict] = (heard[verdict] ?? 0) + 1;
    },
    sent(link) {
      countersOf(link).sent += 1;
    },
    of: countersOf,
  };
}
