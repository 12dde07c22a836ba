/** Searches whose answers come by unicast: which socket brings them home to whom, and for how long. */
import type { AddressFamily, RelayProtocol } from "../../core/relay.ts";
import type { DatagramAddress } from "../../host/datagram.ts";

/** Who asks, and where. Two searches with the same words are the same only if all of this is. */
export interface SearchRoute {
  readonly protocol: RelayProtocol;
  readonly family: AddressFamily;
  readonly asker: Pick<DatagramAddress, "bytes" | "port">;
  /** The link the asker is on. */
  readonly askerLink: string;
  /** The link that is asked. */
  readonly egressLink: string;
}

/** A search under way. `asker.bytes` is a copy. */
interface Search<S> extends SearchRoute {
  readonly socket: S;
  /** Monotonic milliseconds, as handed in. */
  readonly expiresAt: number;
}

export interface SearchTable<S extends Disposable> extends Disposable {
  /**
   * The socket from which to send this search on; answers to its address are the asker's. The same asker gets the same one as
   * long as it keeps asking. Undefined when none could be opened.
   */
  socketFor(route: SearchRoute, time: { readonly now: number; readonly lifetimeMs: number }): S | undefined;
  /** The search whose answers the socket brings. */
  find(socket: S): Search<S> | undefined;
  /** Closes what has ended by `now`. */
  expire(now: number): void;
  /** When the next search ends. */
  nextExpiry(): number | undefined;
  /** Closes all searches from or to a link. */
  closeLink(link: string): void;
  readonly size: number;
  /** Searches closed before their time to make room, since the table was made. */
  readonly evicted: number;
}

interface SearchTableOptions<S> {
  /** Searches in all. Each holds a socket. */
  readonly limit: number;
  /** Ports that one address asks from on one link, each counted once for a protocol and family, however many links it asks. */
  readonly portsPerSource: number;
  /** Called with a route that may be kept. */
  readonly open: (route: SearchRoute) => S | undefined;
}

interface Entry<S> {
  readonly key: string;
  readonly source: string;
  /** The asker's port: all its searches are one to whoever asked. */
  readonly port: string;
  readonly route: SearchRoute;
  readonly socket: S;
  expiresAt: number;
}

/**
 * A source that asks from too many ports loses the port whose searches end first, with all of them. When there is no room,
 * whoever holds most gives way: of the link that asks most, the source that asks most, its search that ends first; on a
 * draw whoever asks now. So a host that floods, under however many addresses, only loses searches of its own link, and
 * under one address only its own.
 */
export function createSearchTable<S extends Disposable>({ limit, portsPerSource, open }: SearchTableOptions<S>): SearchTable<S> {
  const entries = new Map<string, Entry<S>>();
  const bySocket = new Map<S, Entry<S>>();
  /** Searches held, by port, by source and by link; and by source, how many ports hold them. */
  const perPortCount = new Map<string, number>();
  const portCount = new Map<string, number>();
  const perSourceCount = new Map<string, number>();
  const perLinkCount = new Map<string, number>();
  let earliest: number | undefined;
  let evicted = 0;

  const countSearch = ({ port, source, route }: Entry<S>, change: 1 | -1): void => {
    const before = perPortCount.get(port) ?? 0;
    if (before === 0 || before + change === 0) count(portCount, source, change);
    count(perPortCount, port, change);
    count(perSourceCount, source, change);
    count(perLinkCount, route.askerLink, change);
  };

  const close = (entry: Entry<S>): void => {
    entries.delete(entry.key);
    bySocket.delete(entry.socket);
    countSearch(entry, -1);
    earliest = undefined;
    entry.socket[Symbol.dispose]();
  };

  const evict = (among: (entry: Entry<S>) => boolean): void => {
    let victim: Entry<S> | undefined;
    for (const entry of entries.values()) {
      if (among(entry) && (victim === undefined || entry.expiresAt < victim.expiresAt)) victim = entry;
    }
    if (victim === undefined) return;
    evicted += 1;
    close(victim);
  };

  const evictPort = (source: string): void => {
    /** When the last search of each port ends. */
    const ends = new Map<string, number>();
    for (const { source: asker, port, expiresAt } of entries.values()) {
      if (asker === source) ends.set(port, Math.max(expiresAt, ends.get(port) ?? 0));
    }
    const first = keyOf(ends, Math.min(...ends.values()));
    for (const entry of entries.values()) {
      if (entry.port !== first) continue;
      evicted += 1;
      close(entry);
    }
  };

  const makeRoom = (source: string, port: string, link: string): void => {
    if (!perPortCount.has(port) && (portCount.get(source) ?? 0) >= portsPerSource) evictPort(source);
    if (entries.size < limit) return;
    const mostOnLink = Math.max(...perLinkCount.values());
    const fullest = (perLinkCount.get(link) ?? 0) === mostOnLink ? link : keyOf(perLinkCount, mostOnLink);
    const sources = new Set<string>();
    for (const entry of entries.values()) if (entry.route.askerLink === fullest) sources.add(entry.source);
    const most = Math.max(...[...sources].map((candidate) => perSourceCount.get(candidate) ?? 0));
    if (sources.has(source) && perSourceCount.get(source) === most) evict((entry) => entry.source === source);
    else evict((entry) => sources.has(entry.source) && perSourceCount.get(entry.source) === most);
  };

  return {
    socketFor(route, { now, lifetimeMs }) {
      const address = Buffer.from(route.asker.bytes).toString("hex");
      const source = `${route.askerLink} ${address}`;
      const port = `${source} ${route.asker.port} ${route.protocol} ${route.family}`;
      const key = `${port} ${route.egressLink}`;
      const expiresAt = now + lifetimeMs;
      const known = entries.get(key);
      if (known !== undefined) {
        if (expiresAt > known.expiresAt) {
          if (known.expiresAt === earliest) earliest = undefined;
          known.expiresAt = expiresAt;
        }
        return known.socket;
      }
      makeRoom(source, port, route.askerLink);
      const kept = { ...route, asker: { bytes: Uint8Array.from(route.asker.bytes), port: route.asker.port } };
      const socket = open(kept);
      if (socket === undefined) return undefined;
      const entry = { key, source, port, route: kept, socket, expiresAt };
      entries.set(key, entry);
      bySocket.set(socket, entry);
      countSearch(entry, 1);
      if (earliest !== undefined) earliest = Math.min(earliest, expiresAt);
      return socket;
    },
    find(socket) {
      const entry = bySocket.get(socket);
      return entry === undefined ? undefined : { ...entry.route, socket, expiresAt: entry.expiresAt };
    },
    expire(now) {
      if (earliest !== undefined && earliest > now) return;
      for (const entry of entries.values()) if (entry.expiresAt <= now) close(entry);
    },
    nextExpiry() {
      if (entries.size === 0) return undefined;
      if (earliest === undefined) {
        earliest = Number.POSITIVE_INFINITY;
        for (const { expiresAt } of entries.values()) earliest = Math.min(earliest, expiresAt);
      }
      return earliest;
    },
    closeLink(link) {
      for (const entry of entries.values()) {
        if (entry.route.askerLink === link || entry.route.egressLink === link) close(entry);
      }
    },
    get size() {
      return entries.size;
    },
    get evicted() {
      return evicted;
    },
    [Symbol.dispose]() {
      for (const entry of entries.values()) close(entry);
    },
  };
}

function count(counts: Map<string, number>, key: string, change: number): void {
  const now = (counts.get(key) ?? 0) + change;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}

function keyOf(counts: ReadonlyMap<string, number>, value: number): string | undefined {
  for (const [key, held] of counts) if (held === value) return key;
  return undefined;
}
