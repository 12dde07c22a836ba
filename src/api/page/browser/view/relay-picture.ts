/** The relay's links and who carries between them, drawn. */
import type { Flow, Flows } from "../data/flows.ts";
import type { RelayLink, RelayPair, RelayStatus } from "../data/model.ts";
import { h, type VirtualElement } from "../dom/element.ts";
import { counted } from "./pieces.ts";
import { type Box, boxSize, type Edge, layOut } from "./relay-layout.ts";

interface PictureFacts {
  readonly relay: RelayStatus;
  readonly flows: Flows;
  /** Services heard on each link. */
  readonly services: ReadonlyMap<string, number>;
  readonly narrow: boolean;
}

export function relayPicture({ relay, flows, services, narrow }: PictureFacts): VirtualElement {
  const pairs = mergePairs(relay.pairs);
  const layout = layOut({ names: relay.links.map(({ name }) => name), pairs: pairs.map(({ links }) => links), narrow });
  const drawn = layout.edges.flatMap((edge) => {
    const pair = pairs.find(({ links: [a, b] }) => (a === edge.from && b === edge.to) || (b === edge.from && a === edge.to));
    return pair === undefined ? [] : [[edge, pair] as const];
  });
  return h(
    "svg",
    {
      class: `picture${narrow ? " narrow" : ""}`,
      viewBox: `0 0 ${layout.width} ${layout.height}`,
      role: "img",
      "aria-label": describe(relay, pairs),
    },
    ...drawn.map(([edge, pair]) => drawEdge(edge, pair, flows)),
    ...drawn.map(([edge, pair]) => drawLabel(edge, pair)),
    ...layout.boxes.flatMap((box) => {
      const link = relay.links.find(({ name }) => name === box.name);
      return link === undefined ? [] : [drawLink(box, link, { flow: flows.links.get(link.name), services: services.get(link.name) ?? 0 })];
    }),
  );
}

interface MergedPair {
  readonly links: readonly [string, string];
  /** `mixed`: active for one address family, standby for the other. */
  readonly role: "active" | "standby" | "mixed";
  readonly words: string;
}

/** One for each two links; their address families may differ. */
function mergePairs(pairs: readonly RelayPair[]): readonly MergedPair[] {
  const byLinks = new Map<string, RelayPair[]>();
  for (const pair of pairs) {
    const key = pair.links.join("\n");
    byLinks.set(key, [...(byLinks.get(key) ?? []), pair]);
  }
  return [...byLinks.values()].flatMap((same) => {
    const [first] = same;
    const [one, other] = first?.links ?? [];
    if (first === undefined || one === undefined || other === undefined) return [];
    const role = same.every((pair) => pair.role === first.role) ? first.role : "mixed";
    const active = same.find((pair) => pair.role === "active")?.family;
    const words = role === "mixed" ? `IPv${active ?? ""} only` : role;
    return [{ links: [one, other] as const, role, words }];
  });
}

function drawEdge({ from, to, path, lanes }: Edge, { role }: MergedPair, { links }: Flows): VirtualElement {
  const flows = role === "standby" ? [] : [flow("forth", lanes[0], links.get(from)), flow("back", lanes[1], links.get(to))];
  return h("g", { class: `edge ${role}`, key: `edge ${from} ${to}` }, h("path", { class: "line", d: path }), ...flows);
}

function drawLabel({ from, to, label: { x, y } }: Edge, { role, words }: MergedPair): VirtualElement {
  const width = words.length * 6.6 + 20;
  return h(
    "g",
    { class: `edge ${role}`, key: `label ${from} ${to}` },
    h("rect", { class: "label", x: x - width / 2, y: y - 11, width, height: 22, rx: 11 }),
    h("text", { class: "label-text", x, y: y + 4, "text-anchor": "middle" }, words),
  );
}

function flow(direction: "forth" | "back", path: string, of: Flow | undefined): VirtualElement {
  return h("path", { class: `flow ${direction} ${speed(of)}`, d: path });
}

/** How fast the dots go: nothing, now and then, steadily, a lot. */
function speed(flow: Flow | undefined): string {
  if (flow === undefined || flow.carried < 0.02) return "still";
  if (flow.carried < 1) return "slow";
  return flow.carried < 10 ? "steady" : "fast";
}

function drawLink(
  { x, y }: Box,
  link: RelayLink,
  { flow, services }: { readonly flow: Flow | undefined; readonly services: number },
): VirtualElement {
  const { name, state, vlan } = link;
  const left = x + 16;
  const place = link.interface === undefined || link.interface === name ? "" : link.interface;
  const below = [place, vlan === undefined ? "" : `VLAN ${vlan}`].filter((word) => word !== "").join(" · ");
  const status = state === "up" ? counted(services, "service") : (link.why ?? state);
  return h(
    "g",
    { class: `link-node ${state}`, key: `link ${name}` },
    h("title", {}, [name, below, link.why ?? state, ...link.addresses].filter((word) => word !== "").join("\n")),
    h("rect", { class: "box", x, y, width: boxSize.width, height: boxSize.height, rx: 14 }),
    h("circle", { class: "state", cx: x + boxSize.width - 18, cy: y + 20, r: 4.5 }),
    h("text", { class: "name", x: left, y: y + 26 }, clip(name, 19)),
    h("text", { class: "small", x: left, y: y + 45 }, clip(below === "" ? status : `${below} · ${status}`, 30)),
    h(
      "text",
      { class: "small figures", x: left, y: y + 75 },
      h("tspan", { class: "arrow" }, "↓ "),
      rate(flow?.heard),
      h("tspan", { dx: "14", class: "arrow" }, "↑ "),
      rate(flow?.sent),
      h("tspan", { dx: "6", class: "unit" }, "packets/s"),
    ),
  );
}

export function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return "–";
  if (perSecond === 0) return "0";
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

function clip(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

function describe({ links }: RelayStatus, pairs: readonly MergedPair[]): string {
  const carried = pairs.map(({ links: [from, to], words }) => `${from} and ${to}: ${words}`).join("; ");
  return `${counted(links.length, "link")}: ${links.map(({ name, state }) => `${name} (${state})`).join(", ")}. ${carried}`;
}
