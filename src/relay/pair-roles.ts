/** Between which links we relay, and where another aerial does: the election, with its heartbeats sent and heard. */
import type { AddressFamily, RelayPairStatus } from "../core/relay.ts";
import { formatAddress } from "../host/ip-address.ts";
import { type Channel, channelsOf } from "./channels.ts";
import type { DnsMessage } from "./dns/dns-message.ts";
import { decodeHeartbeat, isHeartbeat } from "./election/heartbeat.ts";
import { createWireElection, type ElectedPair, type OutgoingHeartbeat } from "./election/wire-election.ts";
import type { LeaseState } from "./relay-messages.ts";
import type { RelayDatagram, RelayLink, RelayWire } from "./relay-wire.ts";

export interface PairRoles {
  readonly id: string;
  setLinks(links: readonly RelayLink[], now: number): void;
  setLease(links: readonly [string, string], state: LeaseState, now: number): void;
  /** Whether it is what relays tell each other. It is taken note of, and nobody else's business. */
  hear(message: DnsMessage, datagram: RelayDatagram, now: number): boolean;
  /** Why another one carries between these links; undefined where we do. */
  standby(from: RelayLink, to: RelayLink, family: AddressFamily): string | undefined;
  /** Whether the address is another aerial's. */
  isPeer(address: string): boolean;
  pairs(now: number): readonly RelayPairStatus[];
  /** Rises when a role may have changed. */
  readonly version: number;
  tick(now: number): void;
  nextTick(): number;
  /** Says goodbye, so that another one takes over at once. */
  leave(): void;
}

export interface PairRolesDependencies {
  readonly wire: RelayWire;
  readonly carries: (link: RelayLink, channel: Channel) => boolean;
  /** Somebody brought a heartbeat to a link it was not meant for. */
  readonly carried?: (source: string, link: RelayLink) => void;
}

const channels = channelsOf(["mdns"]);
const families = [4, 6] as const;

export function createPairRoles({ wire, carries, carried }: PairRolesDependencies): PairRoles {
  const election = createWireElection();
  let links = new Map<string, RelayLink>();
  /** Asked for each packet, so looked up once: false where we carry. */
  const reasons = { 4: new Map<string, Map<string, string | false>>(), 6: new Map<string, Map<string, string | false>>() };
  let peers = new Set<string>();
  let epoch: number | undefined;
  let version = 0;

  let stale = false;
  const renew = (): void => {
    version += 1;
    stale = true;
  };
  /** Heartbeats may come by the hundred; what follows from them is worked out when somebody asks. */
  const freshen = (): void => {
    if (!stale) return;
    stale = false;
    for (const family of families) reasons[family].clear();
    for (const { links: pair, family, role, why } of election.pairs()) {
      const [a, b] = pair;
      for (const [from, to] of [[a, b] as const, [b, a] as const]) {
        const ways = reasons[family].get(from) ?? new Map<string, string | false>();
        reasons[family].set(from, ways.set(to, role === "active" ? false : why));
      }
    }
    peers = new Set(election.peers().flatMap(({ addresses }) => addresses));
  };

  const send = (heartbeats: readonly OutgoingHeartbeat[]): void => {
    for (const { link: name, payload } of heartbeats) {
      const link = links.get(name);
      if (link === undefined) continue;
      for (const channel of channels) if (carries(link, channel)) wire.toGroup(link, channel, payload);
    }
  };

  return {
    get id() {
      return election.id;
    },
    setLinks(next, now) {
      links = new Map(next.map((link) => [link.name, link]));
      const elective = next.map((link) => ({
        name: link.name,
        families: families.filter((family) => channels.some((channel) => channel.family === family && carries(link, channel))),
        addresses: link.addresses.map(({ bytes }) => formatAddress(bytes)),
      }));
      election.setLinks(elective, now);
      renew();
    },
    setLease(pair, state, now) {
      election.setLease(pair, state, now);
      renew();
    },
    hear(message, { link, source }, now) {
      if (!isHeartbeat(message)) return false;
      const heartbeat = decodeHeartbeat(message);
      if (heartbeat === undefined) return true;
      const address = formatAddress(source.bytes);
      if (election.heard(heartbeat, { link: link.name, source: address }, now) === "carried") carried?.(address, link);
      renew();
      return true;
    },
    standby: (from, to, family) => {
      freshen();
      const why = reasons[family].get(from.name)?.get(to.name) ?? "not decided yet";
      return why === false ? undefined : why;
    },
    get version() {
      return version;
    },
    isPeer(address) {
      freshen();
      return peers.has(address);
    },
    pairs: (now) => joinFamilies(election.pairs(), (epoch ??= Date.now() - now)),
    tick(now) {
      if (now < election.nextDue()) return;
      send(election.due(now));
      renew();
    },
    nextTick: () => election.nextDue(),
    leave: () => send(election.goodbye()),
  };
}

function keyOf([a, b]: readonly [string, string], family: AddressFamily): string {
  return a < b ? `${family} ${a}\0${b}` : `${family} ${b}\0${a}`;
}

/** One row where both families are the same. `epoch`: the wall clock's time at the monotonic clock's zero. */
function joinFamilies(pairs: readonly ElectedPair[], epoch: number): readonly RelayPairStatus[] {
  // By key: with a hundred links there are ten thousand of them.
  const byKey = new Map(pairs.map((pair) => [keyOf(pair.links, pair.family), pair]));
  return pairs.flatMap((pair) => {
    const twin = byKey.get(keyOf(pair.links, pair.family === 4 ? 6 : 4));
    const same = twin !== undefined && twin.role === pair.role && twin.why === pair.why;
    if (same && pair.family === 6) return [];
    const { links, family, role, why } = pair;
    const since = new Date(epoch + pair.since).toISOString();
    return [{ links, ...(!same && { family }), role, why, since }];
  });
}
