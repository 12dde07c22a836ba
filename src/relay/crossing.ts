/** One packet's way from the link it was heard on to the others: who is asked, and where what became of it is written down. */
import type { RelayTrace, RelayVerdict } from "../core/relay.ts";
import type { DatagramAddress } from "../host/datagram.ts";
import { formatAddress } from "../host/ip-address.ts";
import type { Channel } from "./channels.ts";
import type { PacketCounters } from "./packet-counters.ts";
import type { RelayDatagram, RelayLink } from "./relay-wire.ts";
import type { PairRules } from "./rules/relay-rule.ts";

export interface Crossings {
  /** The other links that can be sent to in this channel. */
  egresses(from: RelayLink, channel: Channel): readonly RelayLink[];
  /** Why another aerial carries between these links and we do not; undefined when we do. */
  standby(from: RelayLink, to: RelayLink, channel: Channel): string | undefined;
  rules(from: RelayLink, to: RelayLink): PairRules;
  /** By its name; undefined when it has gone. */
  link(name: string): RelayLink | undefined;
}

/** A packet's account. Text is made only while somebody follows. */
export interface Account {
  /** One egress: relayed, or why not. */
  egress(to: RelayLink, verdict: RelayVerdict, why?: string): void;
  /** The packet as a whole went nowhere. */
  refused(verdict: RelayVerdict, why?: string): void;
  /** Counts the packet by the best that became of it. Call once. */
  close(): void;
}

export interface Accounts {
  open(datagram: AccountedDatagram, describe: () => string): Account;
  readonly counters: PacketCounters;
}

interface AccountedDatagram {
  readonly link: RelayLink;
  readonly channel: Channel;
  readonly source: DatagramAddress;
  readonly payload: Uint8Array;
}

export interface AccountsDependencies {
  readonly counters: PacketCounters;
  /** Undefined while nobody follows. */
  readonly trace: () => ((line: Omit<RelayTrace, "at">) => void) | undefined;
}

/** From best to worst: a packet counts as the best that became of it on any link. */
const rank: readonly RelayVerdict[] = ["relayed", "trimmed", "send-failed", "standby", "echo", "multi-homed", "scope", "rule", "nobody"];

export function createAccounts({ counters, trace }: AccountsDependencies): Accounts {
  return {
    counters,
    open: (datagram, describe) => new OpenAccount(datagram, describe, { counters, follow: trace() }),
  };
}

type Follow = (line: Omit<RelayTrace, "at">) => void;

/** A class, since one is made for each packet: closures would cost more than all the counting. */
class OpenAccount implements Account {
  readonly #datagram: AccountedDatagram;
  readonly #describe: () => string;
  readonly #counters: PacketCounters;
  readonly #follow: Follow | undefined;
  #best: RelayVerdict = "nobody";
  #told = false;

  constructor(
    datagram: AccountedDatagram,
    describe: () => string,
    { counters, follow }: { readonly counters: PacketCounters; readonly follow: Follow | undefined },
  ) {
    this.#datagram = datagram;
    this.#describe = describe;
    this.#counters = counters;
    this.#follow = follow;
  }

  egress(to: RelayLink, verdict: RelayVerdict, why?: string): void {
    this.#told = true;
    // The best by far the most often: it need not be looked up.
    if (verdict === "relayed" || rank.indexOf(verdict) < rank.indexOf(this.#best)) this.#best = verdict;
    if (verdict === "relayed" || verdict === "trimmed") this.#counters.sent(to.name);
    if (this.#follow !== undefined) this.#line(verdict, to, why);
  }

  refused(verdict: RelayVerdict, why?: string): void {
    this.#told = true;
    this.#best = verdict;
    if (this.#follow !== undefined) this.#line(verdict, undefined, why);
  }

  close(): void {
    this.#counters.heard(this.#datagram.link.name, this.#best);
    if (!this.#told && this.#follow !== undefined) this.#line(this.#best);
  }

  #line(verdict: RelayVerdict, to?: RelayLink, why?: string): void {
    const { channel, link, source, payload } = this.#datagram;
    this.#follow?.({
      protocol: channel.protocol,
      family: channel.family,
      from: link.name,
      source: formatSource(source),
      bytes: payload.length,
      what: this.#describe(),
      verdict,
      ...(to !== undefined && { to: to.name }),
      ...(why !== undefined && { why }),
    });
  }
}

function formatSource({ family, bytes, port }: DatagramAddress): string {
  return family === 4 ? `${formatAddress(bytes)}:${port}` : `[${formatAddress(bytes)}]:${port}`;
}

/**
 * The most UDP payload that fits one packet on the egress, where a packet that came whole would have to be broken up
 * there; undefined where it fits, and where the sender itself had to break it up.
 */
export function splitAt({ payload, link, channel }: RelayDatagram, to: RelayLink): number | undefined {
  // IPv4 without options and UDP (RFC 791, RFC 768); IPv6 and UDP (RFC 8200 §3).
  const headers = channel.family === 4 ? 28 : 48;
  const fits = to.mtu - headers;
  return payload.length > fits && payload.length <= link.mtu - headers ? fits : undefined;
}
