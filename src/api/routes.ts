/** Every operation of the contract, with the part that answers it. */
import { clusterHandlers } from "./cluster-handlers.ts";
import { doctorHandlers } from "./doctor-handlers.ts";
import { documentHandlers } from "./document-handlers.ts";
import { eventHandlers } from "./event-handlers.ts";
import { nodeHandlers } from "./node-handlers.ts";
import type { Handlers } from "./operations.ts";
import { radioHandlers, type ShownRadios } from "./radio-handlers.ts";
import { relayHandlers } from "./relay-handlers.ts";
import type { ApiSources } from "./sources.ts";

type LiveHandlers = Handlers<"streamEvents" | "followEvents">;

/** What the handlers share with what is beside them. */
interface HandlerParts extends ShownRadios {
  readonly live: LiveHandlers;
}

/** Streams, and what takes long, end when the signal aborts. */
export function createHandlers(sources: ApiSources, { live, ...shown }: HandlerParts, signal: AbortSignal): Handlers {
  return {
    ...nodeHandlers(sources, signal),
    ...radioHandlers(sources, shown, signal),
    ...eventHandlers(sources),
    ...live,
    ...doctorHandlers(sources),
    ...relayHandlers(sources, signal),
    ...clusterHandlers(sources, signal),
    ...documentHandlers(),
  };
}
