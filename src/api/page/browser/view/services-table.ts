/** The services heard on each link, to be searched. On a narrow page its rows are laid out otherwise; the roles keep it a table. */
import type { SeenService, State } from "../data/model.ts";
import { serviceKey } from "../data/reload.ts";
import { setFilter } from "../data/store.ts";
import { h, memo, type Memo, type VirtualElement } from "../dom/element.ts";
import { serviceName } from "../words/service-words.ts";
import { icon } from "./icon.ts";
import { button, counted, when } from "./pieces.ts";

const pageSize = 100;

export function servicesTable(services: readonly SeenService[], links: readonly string[], { filter }: State): VirtualElement {
  const found = services.filter((service) => isWanted(service, filter));
  const shown = found.slice(0, filter.mostServices);
  const left = found.length - shown.length;
  return h(
    "div",
    { class: "services", key: "services" },
    h("h3", {}, "Services heard"),
    h(
      "div",
      { class: "filters", role: "search", "aria-label": "Services" },
      h(
        "label",
        { class: "search" },
        icon("search"),
        h("span", { class: "unseen" }, "Search services"),
        h("input", {
          type: "search",
          placeholder: "Name, type, host, address",
          autocomplete: "off",
          spellcheck: "false",
          value: filter.services,
          oninput: (event: Event) => setFilter({ services: (event.target as HTMLInputElement).value, mostServices: 50 }),
        }),
      ),
      h(
        "label",
        { class: "select" },
        h("span", { class: "unseen" }, "Link"),
        h(
          "select",
          { onchange: (event: Event) => setFilter({ link: (event.target as HTMLSelectElement).value, mostServices: 50 }) },
          h("option", { value: "" }, "All links"),
          ...links.map((link) => h("option", { value: link, selected: link === filter.link }, link)),
        ),
      ),
      h(
        "span",
        { class: "muted", role: "status" },
        found.length === services.length ? counted(services.length, "service") : `${found.length} of ${services.length}`,
      ),
    ),
    found.length === 0
      ? h(
          "p",
          { class: "empty small" },
          services.length === 0
            ? "Nothing has been heard yet. Devices say hello when they start, and when somebody asks."
            : "No service matches.",
        )
      : h(
          "table",
          { class: "table stacking", role: "table" },
          h("caption", { class: "unseen" }, "Services heard lately"),
          h(
            "thead",
            { role: "rowgroup" },
            h(
              "tr",
              { role: "row" },
              ...["Name", "Type", "Where", "Link", "Heard"].map((title) => h("th", { scope: "col", role: "columnheader" }, title)),
            ),
          ),
          h("tbody", { role: "rowgroup" }, ...shown.map(row)),
        ),
    left > 0 &&
      h(
        "p",
        { class: "more" },
        button({
          label: `Show ${Math.min(left, pageSize)} more of ${left}`,
          onPress: () => setFilter({ mostServices: filter.mostServices + pageSize }),
        }),
      ),
  );
}

function row(seen: SeenService): Memo {
  const key = serviceKey(seen);
  return memo(key, [seen], () => {
    const { instance, service, host, port, addresses, link, relayedTo, lastSeen, unresolved } = seen;
    const name = serviceName(service);
    return h(
      "tr",
      { key, role: "row" },
      h("th", { scope: "row", role: "rowheader" }, instance),
      h("td", { role: "cell" }, name !== undefined && h("span", { class: "type" }, name), h("code", { class: "muted" }, service)),
      h(
        "td",
        { role: "cell" },
        host === undefined
          ? h("span", { class: "muted" }, unresolved === true ? "not told yet" : "–")
          : h("span", {}, port === undefined ? host : `${host}:${port}`),
        addresses.length > 0 && h("code", { class: "muted" }, addresses[0], addresses.length > 1 && ` +${addresses.length - 1}`),
      ),
      h("td", { role: "cell", class: "way" }, link, relayedTo.length > 0 && h("span", { class: "muted" }, `→ ${relayedTo.join(", ")}`)),
      h("td", { role: "cell", class: "late muted" }, when(lastSeen)),
    );
  });
}

function isWanted({ instance, service, host, addresses, link }: SeenService, { services: text, link: wanted }: State["filter"]): boolean {
  if (wanted !== "" && link !== wanted) return false;
  if (text === "") return true;
  const low = text.toLowerCase();
  return [instance, service, serviceName(service), host, ...addresses].some((part) => part?.toLowerCase().includes(low));
}
