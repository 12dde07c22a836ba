/** Who relays between two links: the rules, given all that is known. */
import type { Claim } from "./heartbeat.ts";
import type { Contender } from "./peer-table.ts";

/** What the cluster has decided: this node, another one, or nothing that we know of. */
export type LeaseHolder = "ours" | "theirs" | "unknown";

export interface Situation {
  /** Our id. */
  readonly id: string;
  readonly active: boolean;
  readonly lease: LeaseHolder;
  readonly contenders: readonly Contender[];
  /** Since when we have had both links. */
  readonly startedAt: number;
  readonly listenUntil: number;
  /** Since when nobody else has been active; undefined while somebody is, and when that is not known yet. */
  readonly vacantSince: number | undefined;
  readonly now: number;
}

interface Decision {
  readonly active: boolean;
  /** In a sentence's middle: `alone on these links`. */
  readonly why: string;
  /** Who relays instead. */
  readonly peer?: Contender;
  /** When time alone will change it. */
  readonly wakeAt?: number;
}

/** How long a newcomer listens before it does anything. */
export const listenMs = 1_000;
/** How long an aerial that the cluster has not chosen waits for the one that it has chosen to be heard. */
const holderMs = 3_000;
/** How much later than the aerial whose id is one lower each one steps in. */
const staggerMs = 500;
const mostSteps = 4;

/**
 * The cluster's choice goes before the links' own. Who is active stays so, unless two are: then the cluster's choice
 * remains, else the lower id; but one that cannot hear us cannot be asked to stop. When nobody is active, the lowest id
 * steps in. Where the cluster's choice is not to be heard on these links, it is of no use there, and is passed over.
 */
export function decide(situation: Situation): Decision {
  const { active, lease, contenders, now } = situation;
  const rivals = contenders.filter(({ claim }) => claim !== "standby");
  const stronger = rivals.find((rival) => prevails(rival, situation));
  if (active || lease === "ours") {
    if (stronger) return yieldTo(stronger);
    return { active: true, why: reasonOf(situation) };
  }
  const [rival] = rivals;
  if (rival) return yieldTo(stronger ?? rival);
  if (now < situation.listenUntil) return { active: false, why: "listens first", wakeAt: situation.listenUntil };
  const from = ownTurn(situation);
  if (now < from) return { active: false, why: "leaves others the first turn", wakeAt: from };
  return { active: true, why: reasonOf(situation) };
}

/** When nobody else is active. */
function ownTurn({ id, lease, contenders, startedAt, listenUntil, vacantSince, now }: Situation): number {
  const heldUntil = lease === "theirs" ? startedAt + holderMs : -Infinity;
  const ahead = contenders.filter((contender) => contender.id < id).length;
  return Math.max(vacantSince ?? now, listenUntil, heldUntil) + Math.min(ahead, mostSteps) * staggerMs;
}

function prevails(rival: Contender, { id, lease }: Situation): boolean {
  if (rival.deaf) return true;
  const own: Claim = lease === "ours" ? "lease" : "active";
  return rival.claim === own ? rival.id < id : rival.claim === "lease";
}

function yieldTo(peer: Contender): Decision {
  return { active: false, why: peer.deaf ? `${peer.source} relays and does not hear this node` : `${peer.source} relays`, peer };
}

function reasonOf({ lease, contenders }: Situation): string {
  if (lease === "ours") return "the cluster's lease is held here";
  return contenders.length === 0 ? "alone on these links" : `${contenders.map(({ source }) => source).join(", ")} stands by`;
}
