/** What has happened, a page at a time. */
import { AerialError } from "../core/errors.ts";
import type { HistoryExtent } from "../core/radio.ts";
import { toEventView } from "./live/event-frame.ts";
import type { Handlers } from "./operations.ts";
import type { ApiSources } from "./sources.ts";

export function eventHandlers(sources: ApiSources): Handlers<"listEvents"> {
  return {
    listEvents({ query: { after: cursor, limit = 100, radio, order } }) {
      const reach = sources.stored.current;
      const after = cursor === undefined ? 0 : sequenceOf(cursor, reach);
      const newest = order === "newest";
      const entries = sources.history({ after, limit, ...(radio !== undefined && { radioId: radio }), ...(newest && { newest }) });
      const last = entries.at(newest ? 0 : -1)?.sequence ?? after;
      return { events: entries.map((entry) => toEventView(reach.historyId, entry)), next: `${reach.historyId}.${last}` };
    },
  };
}

/** The contract has held the cursor to its shape. @throws AerialError `events.gone` where what came after it can't be told */
function sequenceOf(cursor: string, { historyId, oldest, newest }: HistoryExtent): number {
  const [id = "", digits = ""] = cursor.split(".");
  const sequence = Number(digits);
  if (id !== historyId)
    throw new AerialError("events.gone", "the cursor is of another history: another node, or a database that was replaced");
  if (sequence > newest)
    throw new AerialError("events.gone", "the cursor is ahead of this history: an older copy of the database is in use");
  if (sequence + 1 < oldest) throw new AerialError("events.gone", "events after the cursor are no longer kept");
  return sequence;
}
