/**
 * How much a source and a link may say: a token bucket for each. A source is charged first, and its link only for what
 * passes that, so one source that floods spends its own share and not its neighbours'. Whoever invents sources spends
 * the link's, and holds up nobody on other links.
 *
 * Sources stand in a table of fixed size, eight places to a set; the one that has been silent longest gives way. One that
 * comes back to a new place has a full bucket again, which is why the link's bucket is what bounds many sources.
 *
 * A datagram counts as the packets that it takes on the wire, since reading it costs by its length. Who has anything left
 * may send a long one, and owes what it lacks.
 */
import { pairKey, scramble, toNumberKey } from "./content-table.ts";

export interface RateLimitOptions {
  /** Packets a second of one source, 0 for no limit. */
  readonly perSource?: number;
  /** Packets a second of all sources of a link, 0 for no limit. */
  readonly perLink?: number;
  /** How many seconds' worth may come at once. */
  readonly burst?: number;
  /** Sources remembered. Rounded up to a power of two of at least eight; 41 bytes each. */
  readonly sources?: number;
}

export interface Flood {
  readonly link: string;
  /** As handed to `take`; absent where all sources together are too much for the link. */
  readonly source?: string;
  /** Over the last whole second, those refused with them. */
  readonly packetsPerSecond: number;
}

/** As much as is asked of a datagram. */
export interface RatedDatagram {
  readonly link: { readonly name: string };
  readonly payload: { readonly length: number };
}

export interface RateLimit {
  /** Charges one datagram: `ok`, or whose limit refused it. `source` is an address as text or bytes-as-text. */
  take(datagram: RatedDatagram, source: string, now: number): "ok" | "source" | "link";
  /**
   * Who is over a limit: since a second or longer, and not yet calm for ten. At most sixteen sources, the worst first.
   * Asking costs a walk over those few, so it may be asked at every tick.
   */
  floods(now: number): readonly Flood[];
}

/**
 * A home's peaks: a computer that wakes up sends some dozens of packets a second, a hundred services announced at once
 * 300. A source that sends 500 a second for long is broken or hostile.
 */
const defaultPerSource = 500;
/** A whole link after a power cut: dozens of devices at once. The relay carries ten times this. */
const defaultPerLink = 2000;
const defaultBurst = 2;
const defaultSources = 4096;
const ways = 8;
/** What Ethernet carries at once (RFC 894). */
const bytesPerPacket = 1500;

const sustainedMs = 1000;
const calmMs = 10_000;
const namedAtMost = 16;

interface Offender {
  readonly link: string;
  readonly source: string | undefined;
  since: number;
  /** When it was last refused. */
  last: number;
  named: boolean;
  count: number;
  countingSince: number;
  rate: number;
}

interface Refused {
  readonly link: string;
  readonly source?: string;
  readonly packets: number;
}

interface LinkBucket {
  readonly key: number;
  tokens: number;
  at: number;
  flood: Offender | undefined;
}

/** `now` is monotonic milliseconds. Links are taken from the configuration and are few; each is kept. */
export function createRateLimit(options: RateLimitOptions = {}): RateLimit {
  const { perSource = defaultPerSource, perLink = defaultPerLink, burst = defaultBurst } = options;
  const links = new Map<string, LinkBucket>();
  const buckets = createSourceBuckets({ rate: perSource, burst, places: options.sources ?? defaultSources });
  /** Sources that are over their limit, the worst; few. */
  const offenders = new Map<number, Offender>();

  const refused = (known: Offender | undefined, { link, source, packets }: Refused, now: number): Offender => {
    if (known === undefined) return { link, source, since: now, last: now, named: false, count: packets, countingSince: now, rate: 0 };
    if (!known.named && now - known.last >= sustainedMs) known.since = now;
    known.last = now;
    if (now - known.since >= sustainedMs) known.named = true;
    count(known, packets, now);
    return known;
  };

  const refuseSource = (key: number, who: Refused, now: number): void => {
    const known = offenders.get(key);
    if (known === undefined && offenders.size >= namedAtMost && !forgetCalm(offenders, now)) return;
    offenders.set(key, refused(known, who, now));
  };

  return {
    take({ link: { name: link }, payload }, source, now) {
      const packets = packetsIn(payload.length);
      let bucket = links.get(link);
      if (bucket === undefined) {
        bucket = { key: toNumberKey(link), tokens: perLink * burst, at: now, flood: undefined };
        links.set(link, bucket);
      }
      if (perSource > 0) {
        const key = pairKey(bucket.key, toNumberKey(source));
        if (!buckets.take(key, packets, now)) {
          refuseSource(key, { link, source, packets }, now);
          return "source";
        }
        const offender = offenders.size > 0 ? offenders.get(key) : undefined;
        if (offender !== undefined) count(offender, packets, now);
      }
      if (perLink === 0) return "ok";
      bucket.tokens = Math.min(perLink * burst, bucket.tokens + (Math.max(0, now - bucket.at) * perLink) / 1000);
      bucket.at = Math.max(bucket.at, now);
      if (bucket.tokens >= 1) {
        bucket.tokens -= packets;
        if (bucket.flood !== undefined) count(bucket.flood, packets, now);
        return "ok";
      }
      bucket.flood = refused(bucket.flood, { link, packets }, now);
      return "link";
    },
    floods(now) {
      for (const [key, { last }] of offenders) if (now - last >= calmMs) offenders.delete(key);
      for (const bucket of links.values()) if (bucket.flood !== undefined && now - bucket.flood.last >= calmMs) bucket.flood = undefined;
      const named: Flood[] = [];
      for (const flood of [...offenders.values(), ...[...links.values()].flatMap(({ flood }) => flood ?? [])]) {
        if (!flood.named) continue;
        const { link, source } = flood;
        const packetsPerSecond = rateOf(flood, now);
        named.push(source === undefined ? { link, packetsPerSecond } : { link, source, packetsPerSecond });
      }
      return named.sort((left, right) => right.packetsPerSecond - left.packetsPerSecond);
    },
  };
}

/** Makes room by forgetting who was never named and has been silent for a second, or is calm; false if none is. */
function forgetCalm(offenders: Map<number, Offender>, now: number): boolean {
  for (const [key, { last, named }] of offenders) {
    if (now - last >= (named ? calmMs : sustainedMs)) return offenders.delete(key);
  }
  return false;
}

function packetsIn(bytes: number): number {
  return bytes <= bytesPerPacket ? 1 : Math.ceil(bytes / bytesPerPacket);
}

function count(offender: Offender, packets: number, now: number): void {
  const elapsed = now - offender.countingSince;
  if (elapsed >= 1000) {
    offender.rate = (offender.count * 1000) / elapsed;
    offender.count = 0;
    offender.countingSince = now;
  }
  offender.count += packets;
}

function rateOf({ rate, count, countingSince }: Offender, now: number): number {
  const elapsed = now - countingSince;
  return Math.round(elapsed >= 1000 ? (count * 1000) / elapsed : rate);
}

interface BucketShape {
  readonly rate: number;
  readonly burst: number;
  readonly places: number;
}

function createSourceBuckets({ rate, burst, places }: BucketShape): { take(key: number, packets: number, now: number): boolean } {
  const sets = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, places / ways))));
  const keys = new Float64Array(sets * ways);
  const tokens = new Float64Array(sets * ways);
  const times = new Float64Array(sets * ways);
  const full = rate * burst;
  return {
    take(key, packets, now) {
      const start = (scramble(key) & (sets - 1)) * ways;
      let slot = start;
      let found = false;
      for (let place = start; place < start + ways; place += 1) {
        if (keys[place] === key) {
          slot = place;
          found = true;
          break;
        }
        if ((times[place] ?? 0) < (times[slot] ?? 0)) slot = place;
      }
      const elapsed = Math.max(0, now - (times[slot] ?? 0));
      const held = found ? Math.min(full, (tokens[slot] ?? 0) + (elapsed * rate) / 1000) : full;
      keys[slot] = key;
      times[slot] = found ? Math.max(times[slot] ?? 0, now) : now;
      tokens[slot] = held >= 1 ? held - packets : held;
      return held >= 1;
    },
  };
}
