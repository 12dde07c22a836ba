/** The live table of what offers itself on which link, out of what the relay hears anyway. Pure: told of time, never asking for it. */
import type { SeenService } from "../../core/relay.ts";
import type { DnsMessage } from "../dns/dns-message.ts";
import { createFairLimit } from "./fair-limit.ts";
import { forgetSrv, hearDnsResponse } from "./hear-dns.ts";
import { forgetOffer, hearSsdpOffer, type SsdpOffer } from "./hear-ssdp.ts";
import type { Hearing, SeenEntry, SeenHost, SeenInstance, SeenLink, SeenOffer, SeenTable } from "./seen-entries.ts";
import { toSeenService } from "./to-seen-service.ts";

/** What whoever hears packets tells the table. */
export type SeenNotes = Pick<SeenServices, "hearDns" | "hearSsdp" | "skip" | "relayed">;

/** For a relay of whose table nobody would read. */
export const noNotes: SeenNotes = { hearDns() {}, hearSsdp() {}, skip() {}, relayed() {} };

export interface SeenServices {
  /** Rises when the list changes in anything but times. What ends by time counts once `expire` was called. */
  readonly version: number;
  /** Instances and UPnP offers held, those that are not listed yet included. */
  readonly size: number;
  /** When `expire` has something to do, in monotonic milliseconds; Infinity while nothing is held. */
  readonly nextExpiry: number;
  /** An accepted response, heard natively. Whatever it holds, it is read at most once through and never throws. */
  hearDns(message: DnsMessage, hearing: Hearing): void;
  /** A NOTIFY or an answer to a search, heard natively. */
  hearSsdp(message: SsdpOffer, hearing: Hearing): void;
  /** Nothing was heard: what is said next of being relayed is about something else. */
  skip(): void;
  /** What was heard last went on to another link, but for the records with the indexes in `dropped`. */
  relayed(toLink: string, dropped?: ReadonlySet<number>): void;
  /** What is there at `at` (monotonic milliseconds), which is `wallClock` in milliseconds since the epoch. In no particular order. */
  list(at: number, wallClock: number): readonly SeenService[];
  /** Forgets what has ended. */
  expire(at: number): void;
  forgetLink(link: string): void;
}

export interface SeenServicesOptions {
  /** Instances and UPnP offers held at most, and as many hosts; 4,096. */
  readonly limit?: number;
}

/** What ends is looked for no more often: a short life must not cost a search of everything each. */
const searchEveryMs = 250;

export function createSeenServices({ limit = 4_096 }: SeenServicesOptions = {}): SeenServices {
  const links = new Map<string, SeenLink>();
  let version = 0;
  let dueAt = Infinity;
  let searchedAt = -Infinity;
  /** What the last message offered, and by which of its records. */
  const offered = { entries: new Array<SeenEntry>(), records: new Array<number>() };

  const table: SeenTable = {
    linkOf(name) {
      let link = links.get(name);
      if (link === undefined) {
        link = { name, instances: new Map(), offers: new Map(), hosts: new Map(), hostUsers: new Map() };
        links.set(name, link);
      }
      return link;
    },
    entries: createFairLimit(limit, dropEntry),
    hosts: createFairLimit(limit, dropHost),
    changed: () => void (version += 1),
    due: (at) => void (dueAt = Math.min(dueAt, at)),
  };

  const listener = {
    table,
    offered(entry: SeenEntry, record: number): void {
      offered.entries.push(entry);
      offered.records.push(record);
    },
  };

  function forgetOffered(): void {
    offered.entries.length = 0;
    offered.records.length = 0;
  }

  function dropEntry(entry: SeenEntry): void {
    if (entry.kind === "instance") {
      forgetSrv(entry);
      entry.link.instances.delete(entry.key);
      if (!entry.listed) return;
    } else {
      forgetOffer(entry);
    }
    version += 1;
  }

  function dropHost(host: SeenHost): void {
    host.link.hosts.delete(host.key);
    if (host.link.hostUsers.has(host.key)) version += 1;
  }

  function expireInstance(instance: SeenInstance, at: number): void {
    const { srv, text, pointerUntil, srvUntil, textUntil } = instance;
    if (Math.max(pointerUntil, srvUntil, textUntil) <= at) {
      table.entries.remove(instance);
      dropEntry(instance);
      return;
    }
    const ended = instance.listed && Math.max(pointerUntil, srvUntil) <= at;
    const srvGone = srv !== undefined && srv.goneAt <= at;
    const textGone = text !== undefined && text.goneAt <= at;
    if (instance.listed && (ended || srvGone || textGone)) version += 1;
    if (srvGone || ended) forgetSrv(instance);
    if (textGone) delete instance.text;
    if (ended) {
      instance.listed = false;
      instance.relayedTo.clear();
    }
    for (const end of [pointerUntil, srvUntil, textUntil, srv?.goneAt ?? Infinity, text?.goneAt ?? Infinity]) if (end > at) table.due(end);
  }

  function expireOffer(offer: SeenOffer, at: number): void {
    if (offer.until > at) return table.due(offer.until);
    table.entries.remove(offer);
    dropEntry(offer);
  }

  /** The last known addresses of a host that is in use stay until others come. */
  function expireHost(host: SeenHost, at: number): void {
    const used = host.link.hostUsers.has(host.key);
    const fresh = host.addresses.some(({ until, goneAt }) => until > at && goneAt > at);
    const kept = host.addresses.filter(({ until, goneAt }) => goneAt > at && (until > at || (used && !fresh)));
    if (kept.length < host.addresses.length) {
      host.addresses = kept;
      if (used) version += 1;
    }
    if (kept.length === 0) {
      table.hosts.remove(host);
      host.link.hosts.delete(host.key);
    }
    for (const { until, goneAt } of kept) {
      if (until > at) table.due(until);
      table.due(goneAt);
    }
  }

  return {
    get version() {
      return version;
    },
    get size() {
      return table.entries.size;
    },
    get nextExpiry() {
      return Math.max(dueAt, searchedAt + searchEveryMs);
    },
    hearDns(message, hearing) {
      forgetOffered();
      hearDnsResponse(listener, message, hearing);
    },
    hearSsdp(message, hearing) {
      forgetOffered();
      const offer = hearSsdpOffer(table, message, hearing);
      if (offer !== undefined) listener.offered(offer, -1);
    },
    skip: forgetOffered,
    relayed(toLink, dropped) {
      for (const [index, entry] of offered.entries.entries()) {
        if (entry.relayedTo.has(toLink) || dropped?.has(offered.records[index] ?? -1) === true) continue;
        entry.relayedTo.add(toLink);
        version += 1;
      }
    },
    list(at, wallClock) {
      const epoch = wallClock - at;
      const services: SeenService[] = [];
      for (const { instances, offers } of links.values()) {
        for (const instance of instances.values()) {
          if (Math.max(instance.pointerUntil, instance.srvUntil) > at) services.push(toSeenService(instance, { at, epoch }));
        }
        for (const one of offers.values()) {
          for (const offer of one.values()) if (offer.until > at) services.push(toSeenService(offer, { at, epoch }));
        }
      }
      return services;
    },
    expire(at) {
      if (at < Math.max(dueAt, searchedAt + searchEveryMs)) return;
      searchedAt = at;
      dueAt = Infinity;
      for (const { instances, offers, hosts } of links.values()) {
        for (const instance of instances.values()) expireInstance(instance, at);
        for (const one of offers.values()) for (const offer of one.values()) expireOffer(offer, at);
        for (const host of hosts.values()) expireHost(host, at);
      }
    },
    forgetLink(name) {
      const link = links.get(name);
      if (link === undefined) return;
      links.delete(name);
      for (const entry of link.instances.values()) table.entries.remove(entry);
      for (const one of link.offers.values()) for (const offer of one.values()) table.entries.remove(offer);
      for (const host of link.hosts.values()) table.hosts.remove(host);
      forgetOffered();
      version += 1;
    },
  };
}
