/** The relay: its links, what flows between them, and what is heard there. */
import type { Flows } from "../data/flows.ts";
import type { RelayLink, RelayStatus, SeenService, State } from "../data/model.ts";
import { type Child, h, type VirtualElement } from "../dom/element.ts";
import { icon } from "./icon.ts";
import { problemNote, section, skeletons, when } from "./pieces.ts";
import { rate, relayPicture } from "./relay-picture.ts";
import { servicesTable } from "./services-table.ts";

export function networkPart(state: State, narrow: boolean): VirtualElement {
  const { relay, problems, flows } = state;
  const services = state.services ?? [];
  return section(
    {
      id: "network",
      title: "Network",
      aside: relay !== undefined && relay !== "off" ? relay.protocols.map(protocolName).join(", ") : undefined,
    },
    problemNote(problems.get("relay"), "The relay cannot be asked."),
    relay === undefined
      ? !problems.has("relay") && skeletons(1, "card")
      : relay === "off"
        ? noRelay()
        : [
            h("div", { class: "card picture-card" }, relayPicture({ relay, flows, services: countByLink(services), narrow })),
            details(relay, flows),
            problemNote(problems.get("services"), "The services could not be read."),
            servicesTable(
              services,
              relay.links.map(({ name }) => name),
              state,
            ),
          ],
  );
}

function protocolName(protocol: RelayStatus["protocols"][number]): string {
  return { mdns: "mDNS", ssdp: "SSDP", wsd: "WS-Discovery", sonos: "Sonos" }[protocol];
}

function countByLink(services: readonly SeenService[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { link } of services) counts.set(link, (counts.get(link) ?? 0) + 1);
  return counts;
}

function noRelay(): VirtualElement {
  return h(
    "div",
    { class: "empty" },
    h("span", { class: "badge large" }, icon("network")),
    h("h3", {}, "No relay here"),
    h(
      "p",
      {},
      "aerial can carry mDNS and SSDP between networks, so that a phone in one VLAN finds the devices of another. Name two links or more under ",
      h("code", {}, "relay.links"),
      " in the configuration, and this shows what flows between them.",
    ),
  );
}

/** The picture in words and numbers: for screen readers, and for who wants to know exactly. */
function details({ links, pairs, rules }: RelayStatus, flows: Flows): Child {
  return [
    h(
      "details",
      { class: "group", key: "counters" },
      h("summary", {}, icon("chevron"), "Links and counters"),
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "group", "aria-label": "Links and counters" },
        h(
          "table",
          { class: "table numbers" },
          h("caption", { class: "unseen" }, "Links"),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ...["Link", "State", "Heard", "Carried", "Sent", "Not carried", "Lost"].map((title) => h("th", { scope: "col" }, title)),
            ),
          ),
          h("tbody", {}, ...links.map((link) => linkRow(link, flows))),
        ),
      ),
      h(
        "ul",
        { class: "pairs", role: "list", "aria-label": "Who carries" },
        ...pairs.map(({ links: [from, to], family, role, why, since }) =>
          h(
            "li",
            {},
            h("span", { class: `role ${role}` }, role),
            h("strong", {}, `${from ?? ""} – ${to ?? ""}`),
            family !== undefined && ` IPv${family}`,
            h("span", { class: "muted" }, ` · ${why} · `, when(since)),
          ),
        ),
      ),
    ),
    rules.length > 0 &&
      h(
        "details",
        { class: "group", key: "rules" },
        h("summary", {}, icon("chevron"), `Rules (${rules.length})`),
        h(
          "ol",
          { class: "rules", role: "list" },
          ...rules.map(({ text, hits }) => h("li", {}, h("code", {}, text), h("span", { class: "muted" }, `${hits}×`))),
        ),
      ),
  ];
}

function linkRow({ name, state, why, heard, sent, overrun }: RelayLink, { links }: Flows): VirtualElement {
  const all = Object.values(heard).reduce((sum, count) => sum + count, 0);
  const carried = (heard["relayed"] ?? 0) + (heard["trimmed"] ?? 0);
  const reasons = Object.entries(heard)
    .filter(([verdict, count]) => verdict !== "relayed" && verdict !== "trimmed" && count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([verdict, count]) => `${verdict} ${count}`);
  return h(
    "tr",
    { key: name },
    h("th", { scope: "row" }, name),
    h("td", {}, state, why !== undefined && h("span", { class: "muted" }, ` ${why}`)),
    h("td", {}, String(all), h("span", { class: "muted" }, ` ${rate(links.get(name)?.heard)}/s`)),
    h("td", {}, String(carried)),
    h("td", {}, String(sent), h("span", { class: "muted" }, ` ${rate(links.get(name)?.sent)}/s`)),
    h("td", {}, reasons.length === 0 ? "0" : reasons.slice(0, 4).join(", ")),
    h("td", {}, String(overrun)),
  );
}
