/** How many messages are looked at beyond carrying them: to note what was seen, and who lives where. */
import { addressKey } from "./address.ts";
import { createRateLimit, type RatedDatagram } from "./guard/rate-limit.ts";

export interface Attention {
  /** Whether there is time for one more of this sender. */
  take(datagram: HeardDatagram, now: number): boolean;
}

interface HeardDatagram extends RatedDatagram {
  readonly source: { readonly bytes: Uint8Array };
}

/**
 * A second in the long run, and ten times that at once: a bridge announces a hundred services with some hundreds of
 * messages, and a home in which everything wakes up has some thousand. What a message tells that is new costs some times
 * what carrying it does, so far fewer are looked at than are carried.
 */
const paid = { perSource: 50, perLink: 200, burst: 10 };

/** Each sender has a share, and each link: who says much is carried, but not remembered, and nobody else is overheard for it. */
export function createAttention(): Attention {
  const limit = createRateLimit(paid);
  return { take: (datagram, now) => limit.take(datagram, addressKey(datagram.source.bytes), now) === "ok" };
}
