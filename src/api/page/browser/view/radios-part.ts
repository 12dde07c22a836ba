/** What is plugged in. */
import { rescan } from "../data/actions.ts";
import type { Radio, State } from "../data/model.ts";
import { setFilter } from "../data/store.ts";
import { type Child, h, type VirtualElement } from "../dom/element.ts";
import { kindName, pathOf, placeOf, productOf, titleOf } from "../words/kind-words.ts";
import { icon } from "./icon.ts";
import { button, counted, problemNote, section, skeletons } from "./pieces.ts";
import { countComplaints, radioCard } from "./radio-card.ts";

/** With fewer than this, looking is quicker than searching. */
const worthSearching = 7;

export function radiosPart(state: State): VirtualElement {
  const { radios, problems, busy, role, node } = state;
  return section(
    {
      id: "radios",
      title: "Radios",
      actions:
        role === "operator" &&
        button({ icon: "refresh", label: "Rescan", onPress: () => void rescan(), busy: busy.has("rescan"), about: "for radios" }),
    },
    problemNote(problems.get("rescan"), "The rescan did not work."),
    problemNote(problems.get("radios"), "The list of radios could not be read."),
    radios === undefined ? skeletons(2, "card") : radios.length === 0 ? noRadios() : list(state, radios),
    node !== undefined && node.counts.others > 0 && othersNote(node.counts.others),
  );
}

function list(state: State, radios: readonly Radio[]): Child {
  const { filter, details, report } = state;
  const complaints = countComplaints(report?.findings ?? []);
  const wanted = radios.filter((radio) => isWanted(radio, filter));
  const sorted = wanted.toSorted((a, b) => order(a) - order(b) || titleOf(a).localeCompare(titleOf(b)));
  const shown = sorted.slice(0, filter.mostRadios);
  const left = sorted.length - shown.length;
  return [
    radios.length >= worthSearching && filterBar(state, radios, wanted.length),
    wanted.length === 0 && h("p", { class: "empty small" }, "No radio matches."),
    h(
      "ul",
      { class: "cards", role: "list", "aria-label": "Radios" },
      ...shown.map((radio) => radioCard({ radio, detail: details.get(radio.id), complaint: complaints.get(radio.id) })),
    ),
    left > 0 &&
      h(
        "p",
        { class: "more" },
        button({
          label: `Show ${counted(left, "more radio", "more radios")}`,
          onPress: () => setFilter({ mostRadios: filter.mostRadios + left }),
        }),
      ),
  ];
}

/** Those here before those gone, the node's own before those on the network, those that people named before others. */
function order({ state, attachment, name }: Radio): number {
  return (state === "absent" ? 4 : 0) + (attachment === "network" ? 2 : 0) + (name === undefined ? 1 : 0);
}

function isWanted(radio: Radio, { radios: text, kind }: State["filter"]): boolean {
  if (kind !== "" && !radio.kinds.includes(kind) && !radio.candidates.includes(kind)) return false;
  if (text === "") return true;
  const all = [titleOf(radio), productOf(radio), radio.id, radio.serial, pathOf(radio), placeOf(radio), ...radio.devicePaths];
  return [...all, ...radio.kinds.map(kindName)].some((part) => part?.toLowerCase().includes(text.toLowerCase()));
}

function filterBar({ filter }: State, radios: readonly Radio[], found: number): VirtualElement {
  const kinds = [...new Set(radios.flatMap(({ kinds, candidates }) => [...kinds, ...candidates]))].sort();
  return h(
    "div",
    { class: "filters", role: "search", "aria-label": "Radios" },
    h(
      "label",
      { class: "search" },
      icon("search"),
      h("span", { class: "unseen" }, "Search radios"),
      h("input", {
        type: "search",
        placeholder: "Name, model, serial, port",
        autocomplete: "off",
        spellcheck: "false",
        value: filter.radios,
        oninput: (event: Event) => setFilter({ radios: (event.target as HTMLInputElement).value }),
      }),
    ),
    h(
      "label",
      { class: "select" },
      h("span", { class: "unseen" }, "Kind"),
      h(
        "select",
        { onchange: (event: Event) => setFilter({ kind: (event.target as HTMLSelectElement).value }) },
        h("option", { value: "" }, "All kinds"),
        ...kinds.map((kind) => h("option", { value: kind, selected: kind === filter.kind }, kindName(kind))),
      ),
    ),
    h("span", { class: "muted", role: "status" }, filter.radios === "" && filter.kind === "" ? "" : `${found} of ${radios.length}`),
  );
}

function noRadios(): VirtualElement {
  return h(
    "div",
    { class: "empty" },
    h("span", { class: "badge large" }, icon("plug")),
    h("h3", {}, "No radios yet"),
    h(
      "p",
      {},
      "Plug in a Zigbee, Thread, Z-Wave, Bluetooth, LoRa or EnOcean stick: it shows up here within a second, with the path that your software should use. Radios on the network show up too, once the relay hears them.",
    ),
    h("p", { class: "muted" }, "No hardware at hand? ", h("code", {}, "npm run demo"), " plugs in a virtual one."),
  );
}

function othersNote(others: number): VirtualElement {
  return h(
    "p",
    { class: "muted footnote" },
    others === 1 ? "One other device is here that is no known radio. " : `${others} other devices are here that are no known radios. `,
    h("code", {}, "aerial scan"),
    " lists them.",
  );
}
