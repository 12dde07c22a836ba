/** What happened, newest first. */
import { loadOlderEvents } from "../data/actions.ts";
import type { HistoryEvent, State } from "../data/model.ts";
import { setFilter, update } from "../data/store.ts";
import { h, memo, type Memo, type VirtualElement } from "../dom/element.ts";
import { describeDay } from "../words/when.ts";
import { icon, type IconName } from "./icon.ts";
import { button, problemNote, section, sentence, skeletons, timeOfDay, when } from "./pieces.ts";

const pageSize = 40;

const icons: Readonly<Record<HistoryEvent["type"], IconName>> = {
  attached: "plug",
  reattached: "plug",
  detached: "unplug",
  moved: "swap",
  identified: "search",
  bootloader: "chip",
  named: "pencil",
  overridden: "pencil",
  leased: "person",
  released: "person",
  forgotten: "close",
  "container-restarted": "refresh",
  "pod-evicted": "swap",
};

export function historyPart({ events, olderEvents, problems, busy, radios, filter: { mostEvents } }: State): VirtualElement {
  const known = new Set(radios?.map(({ id }) => id));
  const showOlder = (): void => {
    setFilter({ mostEvents: mostEvents + pageSize });
    if (olderEvents && (events?.length ?? 0) < mostEvents + pageSize) void loadOlderEvents();
  };
  return section(
    { id: "history", title: "History" },
    problemNote(problems.get("events"), "The history could not be read."),
    events === undefined
      ? !problems.has("events") && skeletons(4, "row")
      : events.length === 0
        ? h("p", { class: "empty small" }, "Nothing has happened yet. Every plug, unplug, move and renaming is kept here.")
        : days(events.slice(0, mostEvents), known),
    problemNote(problems.get("older"), "Older entries could not be read."),
    (olderEvents || (events?.length ?? 0) > mostEvents) &&
      h("p", { class: "more" }, button({ label: "Show older", look: "quiet", onPress: showOlder, busy: busy.has("older") })),
  );
}

function days(events: readonly HistoryEvent[], known: ReadonlySet<string>): VirtualElement {
  const byDay = new Map<string, HistoryEvent[]>();
  for (const event of events) {
    const day = describeDay(Date.parse(event.at), Date.now());
    const entries = byDay.get(day);
    if (entries === undefined) byDay.set(day, [event]);
    else entries.push(event);
  }
  return h(
    "div",
    { class: "days" },
    ...[...byDay].map(([day, entries]) =>
      h(
        "div",
        { key: day },
        h("h3", { class: "day" }, day),
        h(
          "ol",
          { class: "events", role: "list" },
          ...entries.map((event) => historyEntry(event, { isKnown: known.has(event.radioId), isToday: day === "Today" })),
        ),
      ),
    ),
  );
}

/** `isKnown`: the radio is in the list. `isToday`: how long ago says more than when. */
export function historyEntry(event: HistoryEvent, { isKnown, isToday }: { readonly isKnown: boolean; readonly isToday: boolean }): Memo {
  const { id, type, text, at, radioId } = event;
  return memo(id, [event, isKnown, isToday], () =>
    h(
      "li",
      { key: id, class: `event ${type}` },
      h("span", { class: "dot" }, icon(icons[type])),
      h(
        "p",
        {},
        isKnown
          ? h(
              "button",
              {
                type: "button",
                class: "link",
                "aria-haspopup": "dialog",
                onclick: () => update({ dialog: { name: "radio", id: radioId } }),
              },
              sentence(text),
            )
          : sentence(text),
        " ",
        isToday ? when(at) : timeOfDay(at),
      ),
    ),
  );
}
