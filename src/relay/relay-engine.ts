/**
 * The relay without its sockets: packets in, packets out, and what became of them. Synchronous: `now` is handed in, in
 * milliseconds of a clock that only goes forward, so that tests need no waiting.
 */
import type { RelayProtocol, RelayTrace } from "../core/relay.ts";
import { addressKey, isOnLink } from "./address.ts";
import { type Channel, channelsOf } from "./channels.ts";
import { createAccounts, type Crossings } from "./crossing.ts";
import { readMessage } from "./dns/read-message.ts";
import { createEchoWatch, type EchoWatch } from "./echo-watch.ts";
import { longestHeartbeat } from "./election/heartbeat.ts";
import { createRateLimit, type RateLimit } from "./guard/rate-limit.ts";
import { createMdnsCarrier } from "./mdns-carrier.ts";
import { createAttention } from "./attention.ts";
import { createServiceQuestions } from "./ask-services.ts";
import { createHostHomes, type HostHomes } from "./mdns/host-homes.ts";
import { createPacketCounters, type PacketCounters } from "./packet-counters.ts";
import { createPairRoles, type PairRoles } from "./pair-roles.ts";
import type { RelayOptions } from "./relay-options.ts";
import { createRelaySearches, type RelaySearches } from "./relay-searches.ts";
import type { RelayDatagram, RelayLink, RelayWire } from "./relay-wire.ts";
import { compileRules } from "./rules/compile-rules.ts";
import type { RuleSet } from "./rules/relay-rule.ts";
import { createSearchCarrier } from "./search-carrier.ts";
import { createSeenServices, noNotes, type SeenNotes, type SeenServices } from "./seen/seen-services.ts";

export interface RelayEngineDependencies {
  readonly options: RelayOptions;
  readonly wire: RelayWire;
  /** Whether `seen` is filled. */
  readonly notesServices: boolean;
  /** Whether packets of the channel can be sent on the link now. */
  readonly carries: (link: RelayLink, channel: Channel) => boolean;
  /** Told of every packet while there is one. */
  readonly trace?: () => ((line: Omit<RelayTrace, "at">) => void) | undefined;
}

export interface RelayEngine {
  /** The links that are up, and the addresses of all interfaces of this host. */
  setLinks(links: readonly RelayLink[], ownAddresses: readonly Uint8Array[], now: number): void;
  configure(options: RelayOptions): void;
  /** A packet from a group. `now` is when it arrived. */
  receive(datagram: RelayDatagram, now: number): void;
  /** What is due by now: heartbeats, ends of searches and of what was seen. */
  tick(now: number): void;
  /** When `tick` is due next. */
  nextTick(): number;
  /** DNS-SD types to ask for, besides relaying: what the inventory wants to know of. */
  want(services: readonly string[], now: number): void;
  /** Takes leave of the other relays, so that one takes over at once. */
  leave(): void;
  /** What is listened to: what is carried, and mDNS, over which relays find each other. */
  readonly channels: readonly Channel[];
  readonly protocols: readonly RelayProtocol[];
  readonly links: readonly RelayLink[];
  readonly rules: RuleSet;
  readonly counters: PacketCounters;
  readonly roles: PairRoles;
  readonly echoes: EchoWatch;
  readonly rate: RateLimit;
  readonly seen: SeenServices;
  readonly searches: RelaySearches;
}

/**
 * RFC 6762 §17: 9000 bytes with the headers of IP and UDP, in fragments or not. Those of IPv4 in both families: there are
 * responders that make no difference.
 */
const longestMdns = 9_000 - 20 - 8;
/** Host names remembered, to tell hosts that live on several links. */
const rememberedHosts = 4_096;

export function createRelayEngine(dependencies: RelayEngineDependencies): RelayEngine {
  const { wire, carries } = dependencies;
  let { options } = dependencies;
  let channels = channelsOf([...options.protocols, "mdns"]);
  let rules = compileRules({ rules: options.rules, defaults: options.defaults, default: options.fallback });
  let links: readonly RelayLink[] = [];
  const byName = new Map<string, RelayLink>();
  let own: ReadonlySet<string> = new Set();

  /** Until links or protocols change. */
  const egresses = new Map<RelayLink, (readonly RelayLink[] | undefined)[]>();

  const counters = createPacketCounters();
  const accounts = createAccounts({ counters, trace: () => dependencies.trace?.() });
  const homes: HostHomes = createHostHomes({ limit: rememberedHosts });
  const seen = createSeenServices();
  const attention = createAttention();
  let rate: RateLimit = createRateLimit(options.limits);
  const roles = createPairRoles({ wire, carries, carried: (source, link) => echoes.carried(source, link, clock) });
  const echoes: EchoWatch = createEchoWatch({ policy: options.onSecondReflector, isOurs: (source) => roles.isPeer(source) });

  const crossings: Crossings = {
    link: (name) => byName.get(name),
    rules: (from, to) => rules.between(from.name, to.name),
    egresses(from, channel) {
      const byChannel = egresses.get(from) ?? [];
      const known = byChannel[channel.number];
      if (known !== undefined) return known;
      const carried = options.protocols.includes(channel.protocol);
      const found = carried ? links.filter((to) => to !== from && carries(to, channel)) : [];
      byChannel[channel.number] = found;
      egresses.set(from, byChannel);
      return found;
    },
    standby: (from, to, { family }) => roles.standby(from, to, family),
  };
  const searches: RelaySearches = createRelaySearches({
    wire,
    link: (name) => byName.get(name),
    answered(search, datagram, now) {
      if (!admit(datagram, now)) return;
      const carrier = datagram.channel.protocol === "mdns" ? mdns : other;
      carrier.answer(search, datagram, now);
    },
  });
  const questions = createServiceQuestions(wire);
  const noted: SeenNotes = dependencies.notesServices ? seen : noNotes;
  const carrying = { wire, crossings, accounts, echoes, seen: noted, attention, searches };
  const mdns = createMdnsCarrier({ ...carrying, homes, heartbeat: (message, datagram, now) => roles.hear(message, datagram, now) });
  const other = createSearchCarrier(carrying);
  /** When the packet at hand arrived. */
  let clock = 0;

  /** What can be told without reading the packet. */
  const admit = (datagram: RelayDatagram, now: number): boolean => {
    const { channel, link, payload, source, truncated } = datagram;
    const key = addressKey(source.bytes);
    // Ours do not come back to us: it is another program on this host, which has the links itself.
    if (own.has(key)) return refuse(datagram, "own");
    const taken = rate.take(datagram, key, now);
    if (taken !== "ok")
      return refuse(datagram, "rate", taken === "source" ? "this sender is over its limit" : "this link is over its limit");
    if (truncated) return refuse(datagram, "too-large");
    if (channel.protocol === "mdns" && payload.length > longestMdns)
      return refuse(datagram, "too-large", "more than 9000 bytes (RFC 6762 §17)");
    if (!isOnLink(source.bytes, link.addresses)) return refuse(datagram, "off-link", "the sender is on no network of this link");
    return true;
  };

  /** Our own heartbeat on another of our links: both are one network. */
  const comesBack = (datagram: RelayDatagram, now: number): boolean => {
    // Nobody limits what is said in our name, so no more is read than may be ours.
    if (datagram.channel.protocol !== "mdns" || datagram.payload.length > longestHeartbeat) return false;
    const message = readMessage(datagram.payload);
    return !("fault" in message) && roles.hear(message, datagram, now);
  };

  const refuse = (datagram: RelayDatagram, verdict: "own" | "rate" | "too-large" | "off-link", why?: string): false => {
    const account = accounts.open(datagram, () => "");
    account.refused(verdict, why);
    account.close();
    return false;
  };

  return {
    setLinks(next, ownAddresses, now) {
      for (const { name, index } of links) {
        if (next.some((link) => link.name === name && link.index === index)) continue;
        homes.forgetLink(name);
        seen.forgetLink(name);
        searches.closeLink(name);
      }
      links = next;
      egresses.clear();
      byName.clear();
      for (const link of next) byName.set(link.name, link);
      own = new Set(ownAddresses.map(addressKey));
      roles.setLinks(next, now);
      questions.setLinks(next, now);
    },
    configure(next) {
      const { perSource, perLink } = options.limits;
      if (next.limits.perSource !== perSource || next.limits.perLink !== perLink) rate = createRateLimit(next.limits);
      options = next;
      egresses.clear();
      channels = channelsOf([...next.protocols, "mdns"]);
      rules = compileRules({ rules: next.rules, defaults: next.defaults, default: next.fallback });
      echoes.configure(next.onSecondReflector);
    },
    receive(datagram, now) {
      clock = now;
      if (own.has(addressKey(datagram.source.bytes)) && comesBack(datagram, now)) return;
      if (!admit(datagram, now)) return;
      if (datagram.channel.protocol === "mdns") mdns.carry(datagram, now);
      else other.carry(datagram, now);
    },
    tick(now) {
      searches.expire(now);
      seen.expire(now);
      roles.tick(now);
      questions.tick(now);
    },
    nextTick: () => Math.min(searches.nextExpiry(), seen.nextExpiry, roles.nextTick(), questions.nextTick()),
    want: (services, now) => questions.want(services, now),
    leave: () => roles.leave(),
    get channels() {
      return channels;
    },
    get protocols() {
      return options.protocols;
    },
    get links() {
      return links;
    },
    get rules() {
      return rules;
    },
    counters,
    roles,
    echoes,
    get rate() {
      return rate;
    },
    seen,
    searches,
  };
}
