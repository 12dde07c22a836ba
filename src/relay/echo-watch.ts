/** Whether a packet is news or came round a loop, and whether somebody else already carries what we would. */
import { formatAddress } from "../host/ip-address.ts";
import { addressKey } from "./address.ts";
import { type Channel, protocolNames } from "./channels.ts";
import type { DnsMessage } from "./dns/dns-message.ts";
import { createEchoGuard, type Sighting } from "./guard/echo-guard.ts";
import { createReflectorWatch, type RelayLane, type SeenReflector } from "./guard/reflector-watch.ts";
import { tellsAddress } from "./mdns/tells-address.ts";
import type { RelayOptions } from "./relay-options.ts";
import type { RelayDatagram, RelayLink } from "./relay-wire.ts";

interface JudgedPacket {
  /** A hash of what it says. */
  readonly content: number;
  readonly datagram: RelayDatagram;
  /** It wants unicast answers, so two askers with the same words are two searches. */
  readonly search: boolean;
  /** It answers or announces; else it asks. */
  readonly offer: boolean;
  /** Where it is one of mDNS; read when it is asked for. */
  readonly said?: { readonly message: DnsMessage };
}

interface CarriedPacket extends JudgedPacket {
  readonly to: RelayLink;
  /** What we made of it, where that is not the same. */
  readonly sent?: number;
}

interface EchoCondition {
  readonly code: string;
  readonly text: string;
}

export interface EchoWatch {
  /** Why it is an echo, in a sentence; undefined when it is news. */
  judge(packet: JudgedPacket, now: number): string | undefined;
  /** Whether a packet that is an echo may go to this link all the same: a question that has not been there yet. */
  isOpen(packet: JudgedPacket, to: RelayLink, now: number): boolean;
  /** To be told of each link that a packet goes to, by our hand or another's. */
  sent(packet: CarriedPacket, now: number): void;
  /** Why this packet is left to another reflector; undefined when it is not. */
  standsBack(packet: CarriedPacket, now: number): string | undefined;
  /** Somebody brought what was meant for one link to another. */
  carried(source: string, link: RelayLink, now: number): void;
  configure(policy: RelayOptions["onSecondReflector"]): void;
  conditions(now: number): readonly EchoCondition[];
}

export interface EchoWatchDependencies {
  readonly policy: RelayOptions["onSecondReflector"];
  /** Whether an address is another aerial's, with which we agree otherwise. */
  readonly isOurs: (address: string) => boolean;
}

/** How long a heartbeat that went astray is told of. */
const strayMs = 60_000;
const mostStrays = 16;
/** An aerial whose address has changed has said so by then. */
const settledMs = 3_000;

export function createEchoWatch({ policy, isOurs }: EchoWatchDependencies): EchoWatch {
  const guard = createEchoGuard();
  let current = policy;
  let watch = createReflectorWatch({ policy, ours: isOurs });
  /** Who brought heartbeats to other links, by address: where, and when last. */
  const strays = new Map<string, { readonly link: string; readonly at: number; readonly since: number }>();

  return {
    judge(packet, now) {
      const judgement = guard.judge(sightingOf(packet), now);
      if (judgement.verdict === "pass") return undefined;
      const { link, source } = packet.datagram;
      const address = formatAddress(source.bytes);
      const { kind, ownerLink, ownerSource, delayMs } = judgement;
      // A host with several addresses says the same from each; nobody who brings another's words is told of in them.
      const ofItself = packet.said !== undefined && tellsAddress(packet.said.message, source.bytes);
      if (kind !== "repeat" && !ofItself) {
        const lane = laneOf(packet, ownerLink, link.name);
        const { offer } = packet;
        watch.observe(lane, { kind, content: contentOf(packet), owner: ownerSource, offer, source: address, delayMs }, now);
      }
      return `${address} ${kind === "repeat" ? "says it too often" : "repeats what was heard before"}`;
    },
    isOpen(packet, { name }, now) {
      const { offer, search, datagram } = packet;
      if (offer || search || !guard.isOpen(sightingOf(packet), name, now)) return false;
      // What another aerial brings was held against the rules on its way: it asks for somebody who may not ask there.
      return !isOurs(formatAddress(datagram.source.bytes));
    },
    sent(packet, now) {
      const copy = { content: inChannel(packet.sent ?? packet.content, packet.datagram.channel), link: packet.to.name };
      guard.sent(sightingOf(packet), copy, now);
    },
    standsBack(packet, now) {
      // Whoever repeats a search need not bring its answers home.
      if (packet.search) return undefined;
      const lane = laneOf(packet, packet.datagram.link.name, packet.to.name);
      watch.original(lane, contentOf(packet), now);
      return watch.standsDown(lane, now) ? "another relay carries it" : undefined;
    },
    carried(source, { name }, now) {
      const since = strays.get(source)?.since ?? now;
      if (strays.size < mostStrays || strays.has(source)) strays.set(source, { link: name, at: now, since });
    },
    configure(next) {
      if (next === current) return;
      current = next;
      watch = createReflectorWatch({ policy: next, ours: isOurs });
    },
    conditions(now) {
      for (const [source, { at }] of strays) if (now - at >= strayMs) strays.delete(source);
      const named = watch.reflectors(now);
      const isNamed = (source: string): boolean => named.some((reflector) => reflector.source === source);
      const unnamed = [...strays].filter(([source, { since }]) => now - since >= settledMs && !isOurs(source) && !isNamed(source));
      return [
        ...named.map((reflector) => ({ code: secondReflector, text: describeReflector(reflector) })),
        ...unnamed.map(([source, { link }]) => ({
          code: secondReflector,
          text: `${source} brings to ${link} what was sent on another link: a second reflector. Two do the work twice; switch one of them off.`,
        })),
      ];
    },
  };
}

const secondReflector = "relay.second-reflector";

function describeReflector({ source, links, protocol, family, standingDown }: SeenReflector): string {
  const [from = "", to] = links;
  const way = to === undefined ? `back to ${from}` : `from ${from} to ${to}`;
  const what = `${source} carries ${protocolNames[protocol]} over IPv${family} ${way}, as aerial would: a second reflector.`;
  const follows = standingDown ? "aerial stands down there until it stops." : "Both carry it.";
  return `${what} ${follows} Two do the work twice; switch one of them off.`;
}

/** The same packet is asked about when it comes, and again for each link that it goes to. */
let last: { readonly datagram: RelayDatagram; readonly content: number; readonly sighting: Sighting } | undefined;

function sightingOf({ content, datagram, search }: JudgedPacket): Sighting {
  if (last?.datagram === datagram && last.content === content && last.sighting.search === search) return last.sighting;
  const { link, channel, source } = datagram;
  const address = addressKey(source.bytes);
  const sighting = {
    content: inChannel(content, channel),
    link: link.name,
    source: search ? `${address}${source.port}` : address,
    search,
  };
  last = { datagram, content, sighting };
  return sighting;
}

function contentOf({ content, datagram }: JudgedPacket): number {
  return inChannel(content, datagram.channel);
}

function laneOf({ datagram }: JudgedPacket, from: string, to: string): RelayLane {
  const { protocol, family } = datagram.channel;
  return { from, to, protocol, family };
}

const largest = 2 ** 53;

/** The same words in another family or to another group are another thing. */
function inChannel(content: number, { number }: Channel): number {
  return (content + number * 0x1_3579_bdf1_2345) % largest;
}
