/** Radios: the list, each with all about it, and what people call it. */
import type { Watch } from "../core/cell.ts";
import { timestamp } from "../core/clock.ts";
import type { Radio } from "../core/radio.ts";
import type { Explanation, RadioDetail, RadioList } from "./contract/types.ts";
import { toEventView } from "./live/event-frame.ts";
import { isSelected } from "./filter-radios.ts";
import { findAll, requireRadio } from "./find-radio.ts";
import type { Call, Handlers } from "./operations.ts";
import { listCaching, type RadioLists } from "./radio-list.ts";
import { toDeviceView } from "./radio-view.ts";
import type { ViewedRadios } from "./radio-views.ts";
import type { ApiSources, HoldersView } from "./sources.ts";
import { createStreamReply } from "./stream-reply.ts";
import { streamChanges, toRadioList } from "./watch-stream.ts";

type RadioOperation = "listRadios" | "getRadio" | "updateRadio" | "explainRadio" | "watchRadios";

const mostWatchers = 32;
/** How much of its history a radio is shown with. */
const recentEntries = 20;

/** The radios, ready to be shown. */
export interface ShownRadios {
  readonly views: Watch<ViewedRadios>;
  readonly lists: RadioLists;
}

/** Streams end when the signal aborts. */
export function radioHandlers(sources: ApiSources, { views, lists }: ShownRadios, signal: AbortSignal): Handlers<RadioOperation> {
  const { snapshots, clock } = sources;
  const find = (key: string): Radio => requireRadio(snapshots.current, key);
  const counts = sources.counters.stream("watchRadios");
  const streamReply = createStreamReply({ most: mostWatchers, what: "watchers", counts });

  const showHolders = async (radio: Radio): Promise<Pick<RadioDetail, "holders" | "holdersUnknown">> => {
    const held: HoldersView = (await sources.holders?.(radio)) ?? { unknown: "aerial does not look at processes here" };
    return "unknown" in held ? { holders: [], holdersUnknown: held.unknown } : held;
  };

  return {
    listRadios: createListRadios(views, lists),
    async getRadio({ path: { key } }) {
      const radio = find(key);
      const { historyId } = sources.stored.current;
      const recent = sources.history({ after: 0, limit: recentEntries, radioId: radio.id, newest: true });
      return {
        ...views.current.view(radio),
        ...(await showHolders(radio)),
        recent: recent.map((entry) => toEventView(historyId, entry)),
      };
    },
    updateRadio({ path: { key }, body: { name, kind } }) {
      const { id } = find(key);
      const at = timestamp(clock);
      if (name !== undefined) sources.apply({ type: "named", at, id, ...(name !== null && { name }) });
      if (kind !== undefined) sources.apply({ type: "overridden", at, id, ...(kind !== null && { kind }) });
      return views.current.view(find(id));
    },
    explainRadio({ path: { key } }): Explanation {
      const { radios, others } = findAll(snapshots.current, key);
      return { radios: radios.map(views.current.view), others: others.map(({ device, identity }) => toDeviceView(device, identity)) };
    },
    watchRadios: ({ reply }) => streamReply(reply, (response) => streamChanges({ views, clock, counts }, response, signal)),
  };
}

function createListRadios(views: Watch<ViewedRadios>, lists: RadioLists): Handlers["listRadios"] {
  return ({ query, header, reply }) => {
    const { kind, state, text } = query;
    const isWhole = kind === undefined && state === undefined && text === undefined;
    const { body, tag } = isWhole ? lists.whole : lists.write(select(toRadioList(views.current), query));
    void reply.header("etag", tag).header("cache-control", listCaching);
    if (matches(header["if-none-match"], tag)) return reply.code(304).send();
    return reply.type("application/json; charset=utf-8").send(body);
  };
}

function select(list: RadioList, query: Call<"listRadios">["query"]): RadioList {
  return { ...list, radios: list.radios.filter((radio) => isSelected(radio, query)) };
}

/** RFC 9110 §13.1.2. */
function matches(given: string | undefined, tag: string): boolean {
  return given !== undefined && (given.trim() === "*" || given.split(",").some((one) => one.trim().replace(/^W\//, "") === tag));
}
