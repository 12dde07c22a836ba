/** Our links and when each is due a heartbeat. */
import { isIPv6 } from "node:net";
import type { AddressFamily } from "../../core/relay.ts";
import { mostAddresses } from "./heartbeat.ts";

/** A link as the election needs it: one on which we hear and send. */
export interface ElectionLink {
  /** As configured. */
  readonly name: string;
  /** In which it is relayed. */
  readonly families: readonly AddressFamily[];
  /** All of its own addresses, as text, in the kernel's order. */
  readonly addresses: readonly string[];
}

export interface OwnLink {
  readonly name: string;
  families: readonly AddressFamily[];
  /** Those it may send from. */
  addresses: readonly string[];
  /** What heartbeats call it. */
  readonly key: string;
  readonly token: string;
  /** Monotonic milliseconds. */
  dueAt: number;
  sentAt: number;
  /** Heartbeats still to be sent in quick succession. */
  burst: number;
  /** Something has changed since the last one. */
  news: boolean;
  /** How often news may be told at once, as of `sentAt`. */
  credit: number;
}

/** A newcomer says it three times in half a second: one may get lost, or come before others listen. */
const burst = { count: 3, everyMs: 250 };
const attentiveMs = 1_000;
const aloneMs = 10_000;
/**
 * A record is multicast once a second at most (RFC 6762 §6). News makes another record of it, and need not wait but for
 * `floorMs`: so many times, and then once a second however much happens.
 */
const news = { atOnce: 5, everyMs: 1_000, floorMs: 100 };

/** A link on which we are new at `now`. */
export function toOwnLink(link: ElectionLink, said: Pick<OwnLink, "key" | "token">, now: number): OwnLink {
  const { name, families, addresses } = link;
  const times = { dueAt: now, sentAt: -Infinity, burst: burst.count, news: false, credit: news.atOnce };
  return { name, families, addresses: likelySources(addresses), ...said, ...times };
}

/** The link is the same, perhaps with other addresses or families: whether it has others. */
export function adopt(link: OwnLink, { families, addresses }: ElectionLink): boolean {
  const sources = likelySources(addresses);
  if (isSame(link.families, families) && isSame(link.addresses, sources)) return false;
  link.families = families;
  link.addresses = sources;
  return true;
}

/** A heartbeat has been sent. */
export function wasSent(link: OwnLink, heardOthers: boolean, now: number): void {
  const credit = Math.min(news.atOnce, link.credit + (now - link.sentAt) / news.everyMs);
  link.credit = link.news ? Math.max(0, credit - 1) : credit;
  link.news = false;
  link.sentAt = now;
  link.burst = Math.max(0, link.burst - 1);
  const pauseMs = heardOthers ? attentiveMs : aloneMs;
  link.dueAt = now + (link.burst > 0 ? burst.everyMs : pauseMs);
}

/** There is something to say before the next turn. */
export function hasNews(link: OwnLink, now: number): void {
  link.news = true;
  const pauseMs = Math.max(news.floorMs, (1 - link.credit) * news.everyMs);
  link.dueAt = Math.min(link.dueAt, Math.max(now, link.sentAt + pauseMs));
}

function isSame<Item>(before: readonly Item[], after: readonly Item[]): boolean {
  return before.length === after.length && before.every((item, index) => item === after[index]);
}

/** IPv6 sends to a link's group from its link-local address (RFC 6724 §5, rule 2), IPv4 mostly from the first one. */
function likelySources(addresses: readonly string[]): readonly string[] {
  const plain = addresses.map(plainAddress);
  const rank = (address: string): number => {
    if (address.startsWith("fe80:")) return 0;
    return isIPv6(address) ? 2 : 1;
  };
  return plain.toSorted((a, b) => rank(a) - rank(b)).slice(0, mostAddresses);
}

/** One spelling for each address, without its zone. */
export function plainAddress(text: string): string {
  const [address = ""] = text.split("%");
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
