/** The relay's routes: how it stands, what it has seen, and what becomes of each packet. */
import type { FastifyInstance } from "fastify";
import type { Clock } from "../core/clock.ts";
import { AerialError } from "../core/errors.ts";
import type { RelayStatus, RelayTrace, RelayVerdict, SeenService } from "../core/relay.ts";
import { relaySchemas } from "./relay-schemas.ts";
import { createStreamReply } from "./stream-reply.ts";
import { type LostLines, streamTrace } from "./trace-stream.ts";

/** What the API shows of a relay. */
export interface RelayView {
  status(): Promise<RelayStatus>;
  services(): Promise<readonly SeenService[]>;
  /** Every packet from now on, until the signal aborts. `lost` lines would have come in that place. */
  trace(signal: AbortSignal): AsyncIterable<RelayTrace | LostLines>;
}

interface RelaySources {
  readonly clock: Clock;
  readonly relay?: RelayView;
}

interface ServiceQuery {
  /** Part of a type's name. */
  readonly service?: string;
  /** Where it was heard. */
  readonly link?: string;
}

interface TraceQuery {
  /** Where it came from or went to. */
  readonly link?: string;
  /** Part of what it says. */
  readonly service?: string;
  readonly verdict?: RelayVerdict;
}

/** Each has the relay describe every packet, which costs it time. */
const mostFollowers = 8;

/** Adds the routes; all answer 404 where no relay is configured. Streams end when the signal aborts. */
export function addRelayRoutes(app: FastifyInstance, { relay, clock }: RelaySources, signal: AbortSignal): void {
  const requireRelay = (): RelayView => {
    if (relay === undefined) throw new AerialError("relay.off", "no relay is configured here");
    return relay;
  };

  app.get("/api/v1/relay", { schema: relaySchemas.status }, () => requireRelay().status());

  app.get<{ Querystring: ServiceQuery }>("/api/v1/relay/services", { schema: relaySchemas.services }, async ({ query }) => {
    const services = await requireRelay().services();
    return services.filter(({ service, link }) => contains(service, query.service) && (query.link === undefined || link === query.link));
  });

  const streamReply = createStreamReply(mostFollowers, "followers of the trace");
  app.get<{ Querystring: TraceQuery }>("/api/v1/relay/trace", { schema: relaySchemas.trace }, ({ query }, reply) => {
    const view = requireRelay();
    const wanted = ({ from, to, what, verdict }: RelayTrace): boolean =>
      (query.link === undefined || from === query.link || to === query.link) &&
      contains(what, query.service) &&
      (query.verdict === undefined || verdict === query.verdict);
    return streamReply(reply, (response) => streamTrace({ clock, trace: (reader) => view.trace(reader), wanted }, response, signal));
  });
}

/** Without regard to case, as names in DNS and UPnP are; everything contains nothing. */
function contains(text: string, part: string | undefined): boolean {
  return part === undefined || text.toLowerCase().includes(part.toLowerCase());
}
