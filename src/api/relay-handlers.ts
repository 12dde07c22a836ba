/** The relay: how it stands, what it has seen, and what becomes of each packet. */
import { AerialError } from "../core/errors.ts";
import type { RelayTrace } from "../core/relay.ts";
import type { Handlers } from "./operations.ts";
import type { ApiSources, RelayView } from "./sources.ts";
import { createStreamReply } from "./stream-reply.ts";
import { streamTrace } from "./trace-stream.ts";

/** Each has the relay describe every packet, which costs it time. */
const mostFollowers = 8;

/** All answer 404 where no relay is configured. Streams end when the signal aborts. */
export function relayHandlers(
  { relay, clock, counters }: Pick<ApiSources, "relay" | "clock" | "counters">,
  signal: AbortSignal,
): Handlers<"getRelay" | "listRelayServices" | "traceRelay"> {
  const requireRelay = (): RelayView => {
    if (relay === undefined) throw new AerialError("relay.off", "no relay is configured here");
    return relay;
  };
  const counts = counters.stream("traceRelay");
  const streamReply = createStreamReply({ most: mostFollowers, what: "followers of the trace", counts });
  return {
    getRelay: () => requireRelay().status(),
    async listRelayServices({ query }) {
      const services = await requireRelay().services();
      return services.filter(({ service, link }) => contains(service, query.service) && (query.link === undefined || link === query.link));
    },
    traceRelay({ query, reply }) {
      const view = requireRelay();
      const wanted = ({ from, to, what, verdict }: RelayTrace): boolean =>
        (query.link === undefined || from === query.link || to === query.link) &&
        contains(what, query.service) &&
        (query.verdict === undefined || verdict === query.verdict);
      const trace = (reader: AbortSignal): ReturnType<RelayView["trace"]> => view.trace(reader);
      return streamReply(reply, (response) => streamTrace({ clock, trace, wanted, counts }, response, signal));
    },
  };
}

/** Without regard to case, as names in DNS and UPnP are; everything contains nothing. */
function contains(text: string, part: string | undefined): boolean {
  return part === undefined || text.toLowerCase().includes(part.toLowerCase());
}
