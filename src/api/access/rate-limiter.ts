/** How often each of many clients may do something: a bucket of tokens a client, in memory of fixed size. */

export interface RateLimit {
  readonly perSecond: number;
  /** How many at once after a rest. */
  readonly burst: number;
  /** So many clients are remembered; whoever was not seen for the longest is forgotten, and begins with a full bucket. */
  readonly mostClients: number;
}

export interface RateLimiter {
  /** Takes one; gives 0, or the milliseconds until there is one again. */
  take(client: string, now: number): number;
  /** As `take`, but takes nothing. */
  wait(client: string, now: number): number;
  readonly clients: number;
}

interface Bucket {
  readonly level: number;
  readonly at: number;
}

export function createRateLimiter({ perSecond, burst, mostClients }: RateLimit): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const levelOf = (client: string, now: number): number => {
    const { level, at } = buckets.get(client) ?? { level: burst, at: now };
    // The time of day may jump back.
    return Math.min(burst, level + (Math.max(0, now - at) * perSecond) / 1_000);
  };
  const waitFor = (level: number): number => (level >= 1 ? 0 : Math.ceil(((1 - level) / perSecond) * 1_000));
  return {
    get clients() {
      return buckets.size;
    },
    wait: (client, now) => waitFor(levelOf(client, now)),
    take(client, now) {
      const level = levelOf(client, now);
      const wait = waitFor(level);
      // Set anew, so that the map's order is that of last use.
      buckets.delete(client);
      buckets.set(client, { level: wait === 0 ? level - 1 : level, at: now });
      if (buckets.size > mostClients) forgetOldest(buckets);
      return wait;
    },
  };
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  for (const client of buckets.keys()) {
    buckets.delete(client);
    return;
  }
}
