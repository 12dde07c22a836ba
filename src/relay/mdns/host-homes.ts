/** Which host names live on which links, from what the hosts themselves say there. */
import { addressKey } from "../address.ts";
import { type DnsMessage, recordType } from "../dns/dns-message.ts";
import { isUsableAddress } from "./is-usable-address.ts";

export interface HostHomes {
  /** Takes note of a message that was sent by a host on `link`. `now` in monotonic milliseconds, here and below. */
  learn(message: DnsMessage, link: string, now: number): void;
  /** Whether the host of this name, as `DnsName.key`, is at home on both links. */
  livesOnBoth(hostKey: string, at: { readonly links: readonly [string, string]; readonly now: number }): boolean;
  /** Whether the host has an address on `link` that can be used from elsewhere. */
  hasUsableAddress(hostKey: string, at: { readonly link: string; readonly now: number }): boolean;
  /** Whether no name is known on more than one link, so that nobody need be asked. */
  readonly noneShared: boolean;
  /** The link has gone, or another network is behind it now. */
  forgetLink(link: string): void;
}

/** RFC 6762 §10 recommends 120 s for addresses and 75 minutes for the rest: longer, nothing is believed. */
const longestLifeMs = 75 * 60_000;
/** A host that boots on several links probes on all of them within a second (RFC 6762 §8.1: three probes, 250 ms apart). */
const probedTogetherMs = 2_000;
/** Until it has announced itself on all of them: up to 250 ms, three probes, and once more a second after a tie (§8.2). */
const bootingMs = 10_000;
/** Per host and link; the kernel gives an interface 16 IPv6 addresses at most by itself (ip-sysctl, `max_addresses`). */
const mostAddresses = 32;

interface Home {
  /** By address. */
  readonly addresses: Map<string, { readonly expires: number; readonly usable: boolean }>;
  /** When an address was first and last told. */
  since: number;
  last: number;
  /** When the name was last probed for, and until when it counts as booting here and elsewhere at once. */
  probed: number;
  bootingUntil: number;
}

/**
 * A name is at home on two links where it was probed for on both at once, or where each has told, within their time to
 * live, unique addresses that the other has not. Once it was heard by turns, rather than on one after the other as of
 * somebody who moved, that holds beyond the time to live, until a goodbye.
 *
 * A name that is established on one link only and probed for on another is a conflict, which the hosts have to settle.
 *
 * `limit`: how many names are remembered; the one not heard of for longest goes first.
 */
export function createHostHomes({ limit }: { readonly limit: number }): HostHomes {
  const hosts = new Map<string, Map<string, Home>>();

  /** Names heard on several links, and perhaps some that were. */
  const shared = new Set<string>();
  const forgetUnshared = (): void => {
    for (const hostKey of shared) if ((hosts.get(hostKey)?.size ?? 0) < 2) shared.delete(hostKey);
  };

  const homeOf = (hostKey: string, link: string): Home => {
    const host = hosts.get(hostKey) ?? new Map<string, Home>();
    hosts.delete(hostKey);
    const forgotten = evict(hosts, limit);
    if (forgotten !== undefined) shared.delete(forgotten);
    hosts.set(hostKey, host);
    const home = host.get(link) ?? { addresses: new Map(), since: Infinity, last: -Infinity, probed: -Infinity, bootingUntil: -Infinity };
    host.set(link, home);
    if (host.size > 1) shared.add(hostKey);
    return home;
  };

  const learnAnswers = ({ records, bytes }: DnsMessage, link: string, now: number): void => {
    for (const { type, name, ttl, flush, dataStart, end } of records) {
      if (type !== recordType.A && type !== recordType.AAAA) continue;
      const address = bytes.subarray(dataStart, end);
      if (ttl === 0) forgetAddress(name.key, link, addressKey(address));
      // Without the flush bit it is no claim to the name (RFC 6762 §10.2).
      else if (flush) {
        const home = homeOf(name.key, link);
        home.since = Math.min(home.since, now);
        home.last = now;
        const key = addressKey(address);
        home.addresses.delete(key);
        evict(home.addresses, mostAddresses);
        home.addresses.set(key, { expires: now + Math.min(ttl * 1000, longestLifeMs), usable: isUsableAddress(address) });
      }
    }
  };

  const forgetAddress = (hostKey: string, link: string, key: string): void => {
    const host = hosts.get(hostKey);
    const home = host?.get(link);
    if (home?.addresses.delete(key) === true && home.addresses.size === 0) host?.delete(link);
  };

  const learnProbe = (message: DnsMessage, link: string, now: number): void => {
    const proposed = proposedHosts(message);
    if (proposed === undefined) return;
    for (const { name } of message.questions) {
      if (!proposed.has(name.key)) continue;
      const home = homeOf(name.key, link);
      home.probed = now;
      for (const [other, elsewhere] of hosts.get(name.key) ?? []) {
        if (other === link || now - elsewhere.probed > probedTogetherMs) continue;
        home.bootingUntil = now + bootingMs;
        elsewhere.bootingUntil = now + bootingMs;
      }
    }
  };

  return {
    learn(message, link, now) {
      if (message.response) learnAnswers(message, link, now);
      else if (message.records.length > 0) learnProbe(message, link, now);
    },
    livesOnBoth(hostKey, { links: [one, other], now }) {
      const host = hosts.get(hostKey);
      const here = host?.get(one);
      const there = host?.get(other);
      if (here === undefined || there === undefined || one === other) return false;
      if (here.bootingUntil > now && there.bootingUntil > now) return true;
      const at = heardByTurns(here, there, now) ? -Infinity : now;
      // Addresses that both have tell nothing: another relay may have brought them.
      return hasOwnAddress(here, there, at) && hasOwnAddress(there, here, at);
    },
    hasUsableAddress(hostKey, { link, now }) {
      const addresses = hosts.get(hostKey)?.get(link)?.addresses.values() ?? [];
      return [...addresses].some(({ expires, usable }) => usable && expires > now);
    },
    forgetLink(link) {
      for (const [hostKey, host] of hosts) {
        host.delete(link);
        if (host.size === 0) hosts.delete(hostKey);
      }
      forgetUnshared();
    },
    get noneShared() {
      return shared.size === 0;
    },
  };
}

/** Makes room for one more: what was put in first goes. Gives its key. */
function evict(table: Map<string, unknown>, limit: number): string | undefined {
  const [oldest] = table.size >= limit ? table.keys() : [];
  if (oldest !== undefined) table.delete(oldest);
  return oldest;
}

function heardByTurns(one: Home, other: Home, now: number): boolean {
  return one.last > other.since && other.last > one.since && now - Math.min(one.last, other.last) < longestLifeMs;
}

/** Whether `home` has, alive at `at`, an address that `other` has not. */
function hasOwnAddress(home: Home, other: Home, at: number): boolean {
  for (const [key, { expires }] of home.addresses) {
    if (expires > at && (other.addresses.get(key)?.expires ?? -Infinity) <= at) return true;
  }
  return false;
}

/** Hosts for which a probe proposes addresses (RFC 6762 §8.2); undefined for what is none, such as most queries. */
function proposedHosts({ records }: DnsMessage): ReadonlySet<string> | undefined {
  let hosts: Set<string> | undefined;
  for (const { section, type, name } of records) {
    if (section === "authority" && (type === recordType.A || type === recordType.AAAA)) (hosts ??= new Set()).add(name.key);
  }
  return hosts;
}
