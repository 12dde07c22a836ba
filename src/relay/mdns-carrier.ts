/** mDNS from link to link (RFC 6762, RFC 6763): reads, judges, trims and sends. */
import type { AddressFamily } from "../core/relay.ts";
import { formatAddress } from "../host/ip-address.ts";
import { inPrefix } from "./address.ts";
import type { Account, Accounts, Crossings } from "./crossing.ts";
import { splitAt } from "./crossing.ts";
import { cutMessage } from "./dns/cut-message.ts";
import { describeMessage } from "./dns/describe-message.ts";
import type { DnsMessage } from "./dns/dns-message.ts";
import { hashBytes, hashMessage } from "./dns/hash-message.ts";
import { readMessage } from "./dns/read-message.ts";
import { type HeardMessage, hearMessage } from "./mdns/heard-message.ts";
import type { Attention } from "./attention.ts";
import type { EchoWatch } from "./echo-watch.ts";
import type { HostHomes } from "./mdns/host-homes.ts";
import { everythingCrosses, type FilterContext, type FilterResult, filterMessage } from "./mdns/filter-message.ts";
import type { PlainMessage } from "./mdns/scan-message.ts";
import { crossesWhole } from "./mdns/whole-crossing.ts";
import type { RelayDatagram, RelayLink, RelayWire } from "./relay-wire.ts";
import type { RelaySearch, RelaySearches } from "./relay-searches.ts";
import type { PairRules } from "./rules/relay-rule.ts";
import type { SeenNotes } from "./seen/seen-services.ts";

/** RFC 6762 §6.7: from another port comes a one-shot query, which is answered to that port. */
const mdnsPort = 5353;
const unicastBit = 0x80;
/** How long answers to such a query may take: 500 ms for a responder (RFC 6762 §6), the rest for slow ones. */
const legacyLifetimeMs = 5_000;

export interface MdnsCarrierDependencies {
  readonly wire: RelayWire;
  readonly crossings: Crossings;
  readonly accounts: Accounts;
  readonly echoes: EchoWatch;
  readonly homes: HostHomes;
  readonly seen: SeenNotes;
  readonly attention: Attention;
  readonly searches: RelaySearches;
  /** Whether it is what relays tell each other; taken note of, and never carried. */
  heartbeat(message: DnsMessage, datagram: RelayDatagram, now: number): boolean;
}

export interface MdnsCarrier {
  carry(datagram: RelayDatagram, now: number): void;
  /** A unicast answer to a one-shot query that was asked on `search.to`. */
  answer(search: RelaySearch, datagram: RelayDatagram, now: number): void;
}

export function createMdnsCarrier(dependencies: MdnsCarrierDependencies): MdnsCarrier {
  const { wire, crossings, accounts, echoes, homes, seen, attention, searches } = dependencies;

  const cutFor = (message: DnsMessage, datagram: RelayDatagram, { to, now }: { to: RelayLink; now: number }): Cut => {
    const crossing = new LinkCrossing(datagram, to, { pair: crossings.rules(datagram.link, to), homes, now });
    const filtered = filterMessage(message, crossing);
    return { filtered, parts: cutMessage(message, filtered.cut, { maximum: splitAt(datagram, to) }) };
  };

  /** The same by little, for nearly all there is. */
  const wholeFor = ({ plain, bytes }: HeardMessage, datagram: RelayDatagram, to: RelayLink): Cut | undefined => {
    if (plain === undefined || !homes.noneShared || splitAt(datagram, to) !== undefined) return undefined;
    const pair = crossings.rules(datagram.link, to);
    if (!pair.byServiceOnly || !crossesWhole(plain, bytes, new LinkCrossing(datagram, to, { pair, homes, now: 0 }))) return undefined;
    return { filtered: everythingCrosses, parts: [withoutUnicast(plain, bytes)] };
  };

  /** Somebody else asked the same, and it went wherever this one could go. */
  const isSpent = (packet: Parameters<EchoWatch["isOpen"]>[0], egresses: readonly RelayLink[], now: number): boolean =>
    egresses.every((to) => !echoes.isOpen(packet, to, now));

  const send = (heard: HeardMessage, datagram: RelayDatagram, { to, legacy, content, account, echo, now }: Egress): void => {
    const { filtered, parts } = wholeFor(heard, datagram, to) ?? cutFor(heard.message, datagram, { to, now });
    if (parts.length === 0) return account.egress(to, emptied(filtered));
    const { link, channel, source } = datagram;
    const packet = { content, datagram, to, search: legacy, offer: heard.response };
    const whole = !dropsAny(filtered);
    // What others make of an echo is taken for theirs who said it first, so who would carry it cannot be told.
    const standby = crossings.standby(link, to, channel) ?? (echo ? undefined : echoes.standsBack(packet, now));
    if (standby !== undefined) {
      // What the one who does carry it makes of it is an echo to us.
      echoes.sent(packet, now);
      return account.egress(to, "standby", standby);
    }
    const socket = legacy ? searches.open({ from: link, to, channel, asker: source, lifetimeMs: legacyLifetimeMs }, now) : undefined;
    if (legacy && socket === undefined) return account.egress(to, "send-failed", "no socket to bring answers home");
    let failed = 0;
    for (const part of parts) {
      failed ||= socket?.ask(part) ?? wire.toGroup(to, channel, part);
      // After it is on its way; nothing else is read meanwhile.
      if (parts.length > 1) echoes.sent({ ...packet, sent: hashPart(part) }, now);
      else echoes.sent(whole ? packet : { ...packet, sent: hashMessage(heard.message, filtered.cut) }, now);
    }
    if (failed !== 0) account.egress(to, "send-failed", `error number ${failed}`);
    else account.egress(to, whole ? "relayed" : "trimmed");
    if (heard.response && failed === 0) seen.relayed(to.name, filtered.cut.droppedRecords);
  };

  return {
    carry(datagram, now) {
      const heard = hearMessage(datagram.payload);
      if ("fault" in heard)
        return refuse(
          accounts.open(datagram, () => "no DNS message"),
          "malformed",
          heard.fault,
        );
      const { plain, response } = heard;
      if (plain === undefined && dependencies.heartbeat(heard.message, datagram, now)) return;
      const account = accounts.open(datagram, () => describeMessage(heard.message));
      const { link, source, channel } = datagram;
      if (response && source.port !== mdnsPort) return refuse(account, "wrong-port", "answers come from port 5353 (RFC 6762 §6)");
      const legacy = !response && source.port !== mdnsPort;
      const { content } = heard;
      const packet = { content, datagram, search: legacy, offer: response, said: heard };
      const echo = echoes.judge(packet, now);
      const egresses = crossings.egresses(link, channel);
      if (echo !== undefined && isSpent(packet, egresses, now)) return refuse(account, "echo", echo);
      // Who brings another's words is not at home in them.
      if (echo !== undefined || !attention.take(datagram, now)) seen.skip();
      else {
        homes.learn(heard.message, link.name, now);
        if (response) seen.hearDns(heard.message, { link: link.name, family: channel.family, source: source.bytes, at: now });
      }
      for (const to of egresses) {
        if (echo !== undefined && !echoes.isOpen(packet, to, now)) account.egress(to, "echo", echo);
        else send(heard, datagram, { to, legacy, content, account, echo: echo !== undefined, now });
      }
      account.close();
    },
    answer(search, datagram, now) {
      const message = readMessage(datagram.payload);
      if ("fault" in message)
        return refuse(
          accounts.open(datagram, () => "no DNS message"),
          "malformed",
          message.fault,
        );
      const account = accounts.open(datagram, () => `answer: ${describeMessage(message)}`);
      if (!message.response) return refuse(account, "malformed", "a query to the port of an asker");
      const to = crossings.link(search.from);
      if (to === undefined) return refuse(account, "nobody", "the asker's link has gone");
      homes.learn(message, datagram.link.name, now);
      const { filtered, parts } = cutFor(message, datagram, { to, now });
      const [part] = parts;
      if (part === undefined) account.egress(to, emptied(filtered));
      else {
        const failed = wire.toHost(to, datagram.channel, { payload: part, to: search.asker });
        if (failed !== 0) account.egress(to, "send-failed", `error number ${failed} towards ${formatAddress(search.asker.bytes)}`);
        else account.egress(to, dropsAny(filtered) ? "trimmed" : "relayed");
      }
      account.close();
    },
  };
}

/** A class, since one is made for each packet and link that it goes to. */
class LinkCrossing implements FilterContext {
  readonly pair: PairRules;
  readonly family: AddressFamily;
  readonly source: Uint8Array;
  private readonly from: RelayLink;
  private readonly to: RelayLink;
  private readonly homes: HostHomes;
  private readonly now: number;

  constructor({ link, channel, source }: RelayDatagram, to: RelayLink, { pair, homes, now }: CrossingFacts) {
    this.pair = pair;
    this.family = channel.family;
    this.source = source.bytes;
    this.from = link;
    this.to = to;
    this.homes = homes;
    this.now = now;
  }

  onEgress(address: Uint8Array): boolean {
    return isOnEgress(address, this.from, this.to);
  }

  isMultiHomed(host: string): boolean {
    return this.homes.livesOnBoth(host, { links: [this.from.name, this.to.name], now: this.now });
  }

  hasUsableAddress(host: string): boolean {
    return this.homes.hasUsableAddress(host, { link: this.from.name, now: this.now });
  }
}

/** The packet itself if no question in it has QU (RFC 6762 §5.4). */
function withoutUnicast({ unicastAt, unicastCount }: PlainMessage, bytes: Uint8Array): Uint8Array {
  if (unicastCount === 0) return bytes;
  // Not `slice`, which in a Buffer copies nothing.
  const copy = new Uint8Array(bytes);
  for (let index = 0; index < unicastCount; index += 1) {
    const at = unicastAt[index] ?? 0;
    copy[at] = (copy[at] ?? 0) & ~unicastBit;
  }
  return copy;
}

interface CrossingFacts {
  readonly pair: PairRules;
  readonly homes: HostHomes;
  readonly now: number;
}

interface Cut {
  readonly filtered: FilterResult;
  readonly parts: readonly Uint8Array[];
}

interface Egress {
  readonly to: RelayLink;
  readonly legacy: boolean;
  readonly content: Content;
  readonly account: Account;
  /** It was heard before, but has not been there. */
  readonly echo: boolean;
  readonly now: number;
}

type Content = ReturnType<typeof hashMessage>;

function refuse(account: Account, verdict: Parameters<Account["refused"]>[0], why: string): void {
  account.refused(verdict, why);
  account.close();
}

/** One of several that we made of one. */
function hashPart(part: Uint8Array): Content {
  const message = readMessage(part);
  return "fault" in message ? hashBytes(part) : hashMessage(message);
}

function dropsAny({ cut }: FilterResult): boolean {
  return cut.droppedQuestions.size > 0 || cut.droppedRecords.size > 0;
}

/** Why nothing of a message was left: what took most of it. */
function emptied({ dropped }: FilterResult): "rule" | "scope" | "multi-homed" {
  const { rule = 0, scope = 0, "multi-homed": homes = 0 } = dropped;
  if (rule >= scope && rule >= homes) return "rule";
  return scope >= homes ? "scope" : "multi-homed";
}

/** Where prefixes overlap, the longer one says where an address is, and on a draw the link it was heard on. */
function isOnEgress(address: Uint8Array, from: RelayLink, to: RelayLink): boolean {
  return longestPrefix(address, to) > longestPrefix(address, from);
}

function longestPrefix(address: Uint8Array, { addresses }: RelayLink): number {
  let longest = -1;
  for (const { bytes, prefixLength } of addresses) {
    if (prefixLength > longest && inPrefix(address, bytes, prefixLength)) longest = prefixLength;
  }
  return longest;
}
