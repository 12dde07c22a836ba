/** Searches under way, whichever the protocol: one port an asker and link, so that answers find home. */
import type { DatagramAddress } from "../host/datagram.ts";
import type { Channel } from "./channels.ts";
import type { RelayDatagram, RelayLink, RelayWire, ReplySocket } from "./relay-wire.ts";
import { createSearchTable, type SearchRoute } from "./ssdp/search-table.ts";

export interface RelaySearch {
  /** The asker's link, by name. */
  readonly from: string;
  readonly asker: DatagramAddress;
}

interface SearchOrder {
  readonly from: RelayLink;
  readonly to: RelayLink;
  readonly channel: Channel;
  readonly asker: DatagramAddress;
  /** How long answers are brought home. */
  readonly lifetimeMs: number;
}

export interface RelaySearches {
  /** Where to ask; undefined where there is no socket to be had. */
  open(order: SearchOrder, now: number): { ask(payload: Uint8Array): number } | undefined;
  expire(now: number): void;
  /** Infinity while nothing is under way. */
  nextExpiry(): number;
  closeLink(name: string): void;
  readonly size: number;
}

export interface RelaySearchesDependencies {
  readonly wire: RelayWire;
  readonly link: (name: string) => RelayLink | undefined;
  /** An answer; `datagram.link` is the one that was asked. */
  readonly answered: (search: RelaySearch, datagram: RelayDatagram, now: number) => void;
}

/** Each search is a descriptor, and there is one for each link that is asked: half of the 1,024 that a process may usually have. */
const mostSearches = 512;
/** A phone that opens an app looks up some names and searches some times, each from a port of its own. */
const mostPortsPerSource = 32;

interface Asking extends Disposable {
  channel: Channel;
  readonly socket: ReplySocket;
}

export function createRelaySearches({ wire, link, answered }: RelaySearchesDependencies): RelaySearches {
  let opening: Channel | undefined;

  const open = (route: SearchRoute): Asking | undefined => {
    const to = link(route.egressLink);
    const channel = opening;
    if (to === undefined || channel === undefined) return undefined;
    const socket = wire.openReply(to, channel, (payload, source, { truncated, now }) => {
      const search = table.find(asking);
      const asked = link(route.egressLink);
      if (search === undefined || asked === undefined) return;
      const asker = { family: route.family, bytes: search.asker.bytes, port: search.asker.port };
      answered({ from: route.askerLink, asker }, { channel: asking.channel, link: asked, payload, source, truncated }, now);
    });
    if (socket === undefined) return undefined;
    const asking: Asking = { channel, socket, [Symbol.dispose]: () => socket[Symbol.dispose]() };
    return asking;
  };
  const table = createSearchTable<Asking>({ limit: mostSearches, portsPerSource: mostPortsPerSource, open });

  return {
    open({ from, to, channel, asker, lifetimeMs }, now) {
      opening = channel;
      const { protocol, family } = channel;
      const asking = table.socketFor({ protocol, family, asker, askerLink: from.name, egressLink: to.name }, { now, lifetimeMs });
      if (asking === undefined) return undefined;
      // The same asker may turn to another group of the protocol.
      asking.channel = channel;
      return { ask: (payload) => asking.socket.ask(channel, payload) };
    },
    expire: (now) => table.expire(now),
    nextExpiry: () => table.nextExpiry() ?? Infinity,
    closeLink: (name) => table.closeLink(name),
    get size() {
      return table.size;
    },
  };
}
