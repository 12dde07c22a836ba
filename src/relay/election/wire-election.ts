/**
 * The aerials on two links agree which of them relays, by what they say on those links (see heartbeat.ts).
 *
 * A state machine without sockets and timers. All times are monotonic milliseconds. Another aerial contends for a pair
 * of links only if it is heard on both and says so on both: whoever is on one link alone has no say.
 */
import { randomBytes } from "node:crypto";
import type { AddressFamily, RelayPairStatus } from "../../core/relay.ts";
import { type LeaseHolder, decide, listenMs } from "./decide.ts";
import { type Claim, type Heartbeat, type PairClaims, encodeHeartbeat } from "./heartbeat.ts";
import { type ElectionLink, type OwnLink, adopt, hasNews, plainAddress, toOwnLink, wasSent } from "./own-links.ts";
import { type Contender, attentiveTtl, createPeerTable } from "./peer-table.ts";

/** A packet to the mDNS group of the link, in each family of it. */
export interface OutgoingHeartbeat {
  readonly link: string;
  readonly payload: Uint8Array;
}

/** Between two links in one family. */
export interface ElectedPair {
  readonly links: readonly [string, string];
  readonly family: AddressFamily;
  readonly role: RelayPairStatus["role"];
  /** In a sentence's middle: `192.0.2.7 relays`. */
  readonly why: string;
  readonly since: number;
}

interface Peer {
  readonly id: string;
  /** As heard and as it says. */
  readonly addresses: readonly string[];
  /** Ours on which it is heard. */
  readonly links: readonly string[];
}

/**
 * What a heartbeat told. `peer`: another aerial. `own`: ours, come back to its own link. `carried`: somebody else brought
 * it to this link, such as a second reflector. `joined`: ours, on another of our links: both are one network, or a
 * reflector that keeps source addresses joins them; the pair stands by. `unknown-link`: not one of ours.
 */
export type Hearing = "peer" | "own" | "carried" | "joined" | "unknown-link";

export interface WireElection {
  /** Changes only if somebody else has the same one. */
  readonly id: string;
  /** The links that can be relayed now. One that is missing stands by at once, and comes back as a newcomer. */
  setLinks(links: readonly ElectionLink[], now: number): void;
  /** What the cluster says of a pair; `unknown` until told. */
  setLease(links: readonly [string, string], holder: LeaseHolder, now: number): void;
  /** To be told of every heartbeat, our own ones too, before anything of it is dropped. */
  heard(heartbeat: Heartbeat, from: { readonly link: string; readonly source: string }, now: number): Hearing;
  /** Lets time pass; gives what is to be sent now. To be called at `nextDue()` or shortly after. */
  due(now: number): readonly OutgoingHeartbeat[];
  nextDue(): number;
  /** Whether packets of that family between the two links are ours to relay. */
  isActive(a: string, b: string, family: AddressFamily): boolean;
  pairs(): readonly ElectedPair[];
  peers(): readonly Peer[];
  /** Last words: others take over at once. */
  goodbye(): readonly OutgoingHeartbeat[];
}

interface Pair {
  readonly links: readonly [OwnLink, OwnLink];
  readonly family: AddressFamily;
  /** What we say of ourselves; undefined while the two links are one network. */
  claim: Claim | undefined;
  why: string;
  since: number;
  readonly startedAt: number;
  listenUntil: number;
  vacantSince: number | undefined;
  joinedUntil: number;
  wakeAt: number;
}

/** Attentive aerials say something every second; one that is alone, every ten. */
const aloneTtl = 30;
/** After three of our own heartbeats that did not cross, the links are apart again. */
const joinedMs = 31_000;
/** Called this much too late, we were stopped: others may have taken over, and we have not heard what they said. */
const stoppedMs = 1_500;

/** `draw` gives 16 random hexadecimal digits. */
export function createWireElection(draw: () => string = drawDigits): WireElection {
  const table = createPeerTable();
  const own = new Map<string, OwnLink>();
  const leases = new Map<string, LeaseHolder>();
  let pairs = new Map<string, Pair>();
  let id = draw();
  let keys = 0;
  let nextDueAt = Infinity;
  /** When we first had a link, and when another aerial was last heard on any. */
  let firstLinkAt: number | undefined;
  let peerHeardAt = -Infinity;

  const contendersOf = ({ links: [a, b], family }: Pair, now: number): readonly Contender[] =>
    table.contenders({ links: [a.name, b.name], family }, now);

  const evaluate = (pair: Pair, now: number): void => {
    const contenders = contendersOf(pair, now);
    if (contenders.some((contender) => contender.id === id)) id = draw();
    if (contenders.some(({ claim }) => claim !== "standby")) pair.vacantSince = undefined;
    else pair.vacantSince ??= now;
    const lease = leases.get(pairKey(pair)) ?? "unknown";
    const joined = now < pair.joinedUntil;
    const decision = joined
      ? { active: false, why: "both links are one network", wakeAt: pair.joinedUntil }
      : decide({ ...pair, id, active: isActive(pair), lease, contenders, now });
    pair.why = decision.why;
    pair.wakeAt = decision.wakeAt ?? Infinity;
    change(pair, joined ? undefined : toClaim(decision.active, lease), now);
  };

  const change = (pair: Pair, claim: Claim | undefined, now: number): void => {
    if (pair.claim === claim) return;
    const wasActive = isActive(pair);
    pair.claim = claim;
    if (isActive(pair) !== wasActive) pair.since = now;
    for (const link of pair.links) hasNews(link, now);
  };

  /** After a stop we are newcomers wherever there are others. */
  const wakeUp = (now: number): void => {
    if (now <= nextDueAt + stoppedMs) return;
    for (const pair of pairs.values()) {
      if (contendersOf(pair, nextDueAt).length === 0) continue;
      pair.listenUntil = now + listenMs;
      if (isActive(pair)) change(pair, "standby", now);
      for (const link of pair.links) hasNews(link, now);
    }
    nextDueAt = now;
  };

  const settle = (now: number): void => {
    nextDueAt = table.nextExpiry(now);
    for (const { wakeAt } of pairs.values()) nextDueAt = Math.min(nextDueAt, wakeAt);
    for (const { dueAt } of own.values()) nextDueAt = Math.min(nextDueAt, dueAt);
  };

  const toOutgoing = (link: OwnLink, ttl: number): OutgoingHeartbeat => {
    const claims = new Map<string, PairClaims>();
    for (const { links, family, claim } of pairs.values()) {
      const other = links[0] === link ? links[1] : links[0];
      if (claim === undefined || ttl === 0 || !links.includes(link)) continue;
      claims.set(other.key, { ...claims.get(other.key), [family]: claim });
    }
    const { key, token, addresses } = link;
    return { link: link.name, payload: encodeHeartbeat({ id, ttl, link: key, token, addresses, pairs: claims }) };
  };

  /** Whose it is and which way it came. */
  const judge = (heartbeat: Heartbeat, from: string, source: string): Hearing => {
    const sender = [...own.values()].find(({ token }) => token === heartbeat.token);
    const direct = (sender ?? heartbeat).addresses.includes(source);
    if (!own.has(from)) return "unknown-link";
    if (!direct) return "carried";
    if (sender === undefined) return "peer";
    return sender.name === from ? "own" : "joined";
  };

  return {
    get id() {
      return id;
    },
    setLinks(links, now) {
      wakeUp(now);
      const named = new Map(links.map((link) => [link.name, link]));
      let changed = false;
      for (const name of own.keys()) {
        if (named.has(name)) continue;
        changed = true;
        own.delete(name);
        table.forget(name);
      }
      for (const link of named.values()) {
        const known = own.get(link.name);
        if (known === undefined || adopt(known, link)) changed = true;
        if (known === undefined) own.set(link.name, toOwnLink(link, { key: `k${(++keys).toString(36)}`, token: draw() }, now));
      }
      if (own.size > 0) firstLinkAt ??= now;
      // Who would contend for a pair is heard on the links that stayed: where nobody was, a link that comes back need not wait.
      const alone = firstLinkAt !== undefined && now - firstLinkAt >= listenMs && now - peerHeardAt > aloneTtl * 1_000;
      pairs = pairUp([...own.values()], pairs, { now, listenUntil: alone ? now : now + listenMs });
      // The kernel tells of every interface of the host, and mostly it is none of ours.
      if (changed) for (const link of own.values()) hasNews(link, now);
      for (const pair of pairs.values()) evaluate(pair, now);
      settle(now);
    },
    setLease([a, b], holder, now) {
      const key = nameKey(a, b);
      leases.set(key, holder);
      for (const pair of pairs.values()) if (pairKey(pair) === key) evaluate(pair, now);
      settle(now);
    },
    heard(heartbeat, { link, source }, now) {
      const plain = plainAddress(source);
      const hearing = judge(heartbeat, link, plain);
      const here = own.get(link);
      if (here === undefined || (hearing !== "peer" && hearing !== "joined")) return hearing;
      wakeUp(now);
      if (hearing === "peer") peerHeardAt = now;
      if (hearing === "peer" && table.hear({ heartbeat, source: plain }, link, now)) hasNews(here, now);
      for (const pair of pairs.values()) {
        if (!pair.links.includes(here)) continue;
        if (hearing === "joined" && pair.links.some(({ token }) => token === heartbeat.token)) pair.joinedUntil = now + joinedMs;
        evaluate(pair, now);
      }
      settle(now);
      return hearing;
    },
    due(now) {
      wakeUp(now);
      table.expire(now);
      for (const pair of pairs.values()) evaluate(pair, now);
      const outgoing: OutgoingHeartbeat[] = [];
      for (const link of own.values()) {
        if (link.dueAt > now) continue;
        const heardOthers = table.on(link.name).length > 0;
        outgoing.push(toOutgoing(link, heardOthers ? attentiveTtl : aloneTtl));
        wasSent(link, heardOthers, now);
      }
      settle(now);
      return outgoing;
    },
    nextDue: () => nextDueAt,
    isActive(a, b, family) {
      const pair = pairs.get(`${nameKey(a, b)}\n${family}`);
      return pair !== undefined && isActive(pair);
    },
    pairs: () =>
      [...pairs.values()].map((pair) => ({
        links: [pair.links[0].name, pair.links[1].name],
        family: pair.family,
        role: isActive(pair) ? "active" : "standby",
        why: pair.why,
        since: pair.since,
      })),
    peers() {
      const peers = new Map<string, { addresses: Set<string>; links: Set<string> }>();
      for (const { name } of own.values()) {
        for (const { heartbeat, source } of table.on(name)) {
          const peer = peers.get(heartbeat.id) ?? { addresses: new Set(), links: new Set() };
          peers.set(heartbeat.id, peer);
          for (const address of [source, ...heartbeat.addresses]) peer.addresses.add(address);
          peer.links.add(name);
        }
      }
      return [...peers].map(([peer, { addresses, links }]) => ({ id: peer, addresses: [...addresses], links: [...links] }));
    },
    goodbye: () => [...own.values()].map((link) => toOutgoing(link, 0)),
  };
}

interface PairStart {
  readonly now: number;
  readonly listenUntil: number;
}

/** Every two links in each family that both have; pairs that were there stay as they are. */
function pairUp(links: readonly OwnLink[], before: ReadonlyMap<string, Pair>, start: PairStart): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  for (const [index, a] of links.entries()) {
    for (const b of links.slice(index + 1)) {
      for (const family of a.families.filter((one) => b.families.includes(one))) {
        const key = `${nameKey(a.name, b.name)}\n${family}`;
        const known = before.get(key);
        pairs.set(key, known?.links.includes(a) && known.links.includes(b) ? known : toPair([a, b], family, start));
      }
    }
  }
  return pairs;
}

function toPair(links: readonly [OwnLink, OwnLink], family: AddressFamily, { now, listenUntil }: PairStart): Pair {
  return {
    links,
    family,
    claim: "standby",
    why: "listens first",
    since: now,
    startedAt: now,
    listenUntil,
    vacantSince: undefined,
    joinedUntil: -Infinity,
    wakeAt: now,
  };
}

function toClaim(active: boolean, lease: LeaseHolder): Claim {
  if (!active) return "standby";
  return lease === "ours" ? "lease" : "active";
}

function isActive({ claim }: Pair): boolean {
  return claim === "active" || claim === "lease";
}

function pairKey({ links: [a, b] }: Pair): string {
  return nameKey(a.name, b.name);
}

function nameKey(a: string, b: string): string {
  return a < b ? `${a}\n${b}` : `${b}\n${a}`;
}

function drawDigits(): string {
  return randomBytes(8).toString("hex");
}
