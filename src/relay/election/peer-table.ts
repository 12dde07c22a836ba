/** Which other aerials are heard on which of our links, and what they last said there. */
import type { AddressFamily } from "../../core/relay.ts";
import type { Claim, Heartbeat } from "./heartbeat.ts";

/** What one aerial said on one of our links. */
interface Statement {
  readonly heartbeat: Heartbeat;
  /** Where it came from first, of the addresses it still has, as text: it says all in both families, by turns. */
  readonly source: string;
  readonly firstHeardAt: number;
  /** When it last told that it hears somebody here. */
  readonly attentiveAt: number;
  /** It does not hear us. */
  readonly deaf: boolean;
  /** Until then it counts. */
  readonly believedUntil: number;
  /** Until then it is remembered. */
  readonly expiresAt: number;
}

/** Another aerial that has both links of a pair. */
export interface Contender {
  readonly id: string;
  readonly claim: Claim;
  /** Where it was heard. */
  readonly source: string;
  /** It does not hear us: since we can hear it, it is for us to give way. */
  readonly deaf: boolean;
}

export interface PeerTable {
  /** Takes a statement in; gives whether its sender was unknown on this link. */
  hear(statement: Pick<Statement, "heartbeat" | "source">, link: string, now: number): boolean;
  /** Forgets who has not been heard for as long as they said. */
  expire(now: number): void;
  /** Forgets all that was heard on a link. */
  forget(link: string): void;
  on(link: string): readonly Statement[];
  contenders(pair: PairOfLinks, now: number): readonly Contender[];
  /** When somebody will next be doubted or forgotten; infinite when nobody is known. */
  nextExpiry(now: number): number;
}

interface PairOfLinks {
  readonly links: readonly [string, string];
  readonly family: AddressFamily;
}

/** Senders remembered on a link. A home has a handful. */
const mostPeers = 64;
/** Added to what the sender said, for a packet on its way. */
const graceMs = 250;
/** In seconds: aerials that hear others on a link promise no more, since they say something every second. */
export const attentiveTtl = 3;
/** Who promises more for longer than this does not hear us. */
const deafAfterMs = 1_500;
/** Who has heard somebody this lately is not deaf: some packets were lost. */
const notDeafMs = 30_000;

export function createPeerTable(): PeerTable {
  const tables = new Map<string, Map<string, Statement>>();
  const tableOf = (link: string): Map<string, Statement> => {
    const table = tables.get(link) ?? new Map<string, Statement>();
    tables.set(link, table);
    return table;
  };
  const isHeardElsewhere = (id: string, link: string): boolean =>
    [...tables].some(([other, table]) => other !== link && [...table.values()].some(({ heartbeat }) => heartbeat.id === id));

  const believed = (link: string, now: number): readonly Statement[] =>
    [...(tables.get(link)?.values() ?? [])].filter(({ believedUntil }) => believedUntil > now);

  /** Whoever is on one link only contends for nothing: a flood there displaces itself. */
  const makeRoom = (table: Map<string, Statement>, link: string): boolean => {
    if (table.size < mostPeers) return true;
    const [key] = [...table].find(([, { heartbeat }]) => !isHeardElsewhere(heartbeat.id, link)) ?? [];
    return key !== undefined && table.delete(key);
  };

  return {
    hear({ heartbeat, source }, link, now) {
      const table = tableOf(link);
      const key = `${heartbeat.id} ${heartbeat.link}`;
      const known = table.get(key);
      if (heartbeat.ttl === 0) {
        table.delete(key);
        return false;
      }
      if (known === undefined && !makeRoom(table, link)) return false;
      // The oldest stay in front.
      table.delete(key);
      const firstHeardAt = known?.firstHeardAt ?? now;
      const attentiveAt = heartbeat.ttl <= attentiveTtl ? now : (known?.attentiveAt ?? -Infinity);
      const deaf = now - firstHeardAt > deafAfterMs && now - attentiveAt > notDeafMs;
      const expiresAt = now + heartbeat.ttl * 1_000 + graceMs;
      // Unless it is deaf it will shortly hear us and say something else, or is gone.
      const believedUntil = deaf ? expiresAt : Math.min(expiresAt, now + attentiveTtl * 1_000 + graceMs);
      const firstSource = known !== undefined && heartbeat.addresses.includes(known.source) ? known.source : source;
      table.set(key, { heartbeat, source: firstSource, firstHeardAt, attentiveAt, deaf, believedUntil, expiresAt });
      return known === undefined;
    },
    expire(now) {
      for (const table of tables.values()) {
        for (const [key, { expiresAt }] of table) if (expiresAt <= now) table.delete(key);
      }
    },
    forget(link) {
      tables.delete(link);
    },
    on: (link) => [...(tables.get(link)?.values() ?? [])],
    contenders({ links: [a, b], family }, now) {
      const found: Contender[] = [];
      const believedOnB = believed(b, now);
      for (const onA of believed(a, now)) {
        for (const onB of believedOnB) {
          const contender = toContender([onA, onB], family);
          if (contender) found.push(contender);
        }
      }
      return found;
    },
    nextExpiry(now) {
      let next = Infinity;
      for (const table of tables.values()) {
        for (const { believedUntil, expiresAt } of table.values()) next = Math.min(next, believedUntil > now ? believedUntil : expiresAt);
      }
      return next;
    },
  };
}

/** One aerial that names, on each of the two links, the other one. */
function toContender([onA, onB]: readonly [Statement, Statement], family: AddressFamily): Contender | undefined {
  if (onA.heartbeat.id !== onB.heartbeat.id) return undefined;
  const [saidOnA, saidOnB] = [onA.heartbeat.pairs.get(onB.heartbeat.link)?.[family], onB.heartbeat.pairs.get(onA.heartbeat.link)?.[family]];
  if (saidOnA === undefined || saidOnB === undefined) return undefined;
  // While it changes one of the two is older, and on one of them somebody else may speak in its name.
  const claim = strongest(saidOnA, saidOnB);
  return { id: onA.heartbeat.id, claim, source: onA.source, deaf: onA.deaf || onB.deaf };
}

const strength = { standby: 0, active: 1, lease: 2 } as const satisfies Record<Claim, number>;

function strongest(one: Claim, other: Claim): Claim {
  return strength[one] >= strength[other] ? one : other;
}
