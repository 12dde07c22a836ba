/** Live events as the contract has them. */
import type { ApiCounters } from "../metrics/api-counters.ts";
import type { Handlers } from "../operations.ts";
import { createSocketReply } from "./event-socket.ts";
import { replyWithStream } from "./event-stream.ts";
import { type LiveSources, openLiveEvents } from "./live-events.ts";
import { createUpgrades, type Upgrades } from "./upgrades.ts";

export interface LiveApi {
  readonly handlers: Handlers<"streamEvents" | "followEvents">;
  /** To be attached to every server that the API listens with. */
  readonly upgrades: Upgrades;
}

/** Streams end when the signal aborts. */
export function openLiveApi(sources: LiveSources & { readonly counters: Pick<ApiCounters, "stream"> }, signal: AbortSignal): LiveApi {
  const { clock, counters } = sources;
  const live = openLiveEvents(sources, signal);
  const upgrades = createUpgrades();
  const replyWithSocket = createSocketReply({ live, counts: counters.stream("followEvents"), clock, upgrades }, signal);
  const counts = counters.stream("streamEvents");
  return {
    handlers: {
      streamEvents: ({ request, reply }) => replyWithStream({ live, counts }, request, reply),
      followEvents: ({ request, reply }) => replyWithSocket(request, reply),
    },
    upgrades,
  };
}
