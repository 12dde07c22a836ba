/** The page as a whole: what is said first, what stays in sight, and in which order the parts come. */
import type { Resource, State } from "../data/model.ts";
import { token } from "../data/requests.ts";
import { update } from "../data/store.ts";
import { type Child, h, memo, type VirtualNode } from "../dom/element.ts";
import { describeClock } from "../words/when.ts";
import { byCheck, healthPart, openFindings } from "./health-part.ts";
import { historyPart } from "./history-part.ts";
import { icon, type IconName } from "./icon.ts";
import { networkPart } from "./network-part.ts";
import { clusterPart, nodePart } from "./node-part.ts";
import { patchDialog } from "./patch-dialog.ts";
import { button, sentence, type Tone, toneIcons } from "./pieces.ts";
import { podsPart } from "./pods-part.ts";
import { radioDialog } from "./radio-dialog.ts";
import { radiosPart } from "./radios-part.ts";
import { tokenDialog } from "./token-dialog.ts";

export interface Doors {
  readonly retryNow: () => void;
  /** After a token was given, or taken away. */
  readonly tokenChanged: () => void;
}

export function frame(state: State, narrow: boolean, doors: Doors): readonly VirtualNode[] {
  const { dialog, connection } = state;
  const isOpen = state.radios !== undefined || !isLocked(connection);
  // Nothing is drawn below what is not there yet: it would be moved away under the reader's eyes.
  const has = (resource: Resource & keyof State): boolean => state.isLate || state[resource] !== undefined || state.problems.has(resource);
  const hasRadios = isOpen && has("radios") && has("node");
  const isJudged = hasRadios && has("conditions") && (state.isLate || state.report !== undefined || state.problems.has("doctor"));
  const hasNetwork = isJudged && has("relay") && (state.relay === "off" || has("services"));
  const isStale = connection.state === "lost" && !isLocked(connection);
  const children: readonly Child[] = [
    h(
      "header",
      { class: "top", key: "top" },
      h("div", { class: "top-inner" }, brand(state), has("node") && nav(state), connectionWord(state)),
    ),
    connectionLost(state, doors),
    h(
      "main",
      { id: "main", key: "main", tabindex: "-1", class: isStale ? "stale" : "" },
      verdict(state),
      isOpen &&
        h(
          "div",
          { class: "columns", key: "columns" },
          h(
            "div",
            { class: "column main-column" },
            memo("radios", radiosFrom(state), () => radiosPart(state)),
            hasRadios && memo("health", healthFrom(state), () => healthPart(state)),
          ),
          h(
            "div",
            { class: "column side-column" },
            memo("history", historyFrom(state), () => historyPart(state)),
          ),
        ),
      isJudged && memo("network", [...networkFrom(state), narrow], () => networkPart(state, narrow)),
      hasNetwork && h("div", { class: "halves", key: "halves" }, nodePart(state), clusterPart(state), podsPart(state)),
    ),
    hasNetwork && footer(state, doors),
    dialog?.name === "radio" && radioDialog(state, dialog.id),
    dialog?.name === "patch" && patchDialog(state),
    dialog?.name === "token" && tokenDialog(dialog.problem, doors.tokenChanged),
  ];
  return children.filter((child): child is VirtualNode => child !== false && child !== undefined);
}

const radiosFrom = (state: State): readonly unknown[] => [
  state.radios,
  state.details,
  state.report,
  state.filter,
  state.problems,
  state.busy,
  state.role,
  state.node?.counts.others,
];
const healthFrom = (state: State): readonly unknown[] => [
  state.report,
  state.conditions,
  state.problems,
  state.busy,
  state.role,
  state.radios,
  state.patches,
  state.talosVersion,
];
const networkFrom = (state: State): readonly unknown[] => [state.relay, state.flows, state.services, state.filter, state.problems];
const historyFrom = (state: State): readonly unknown[] => [
  state.events,
  state.olderEvents,
  state.problems,
  state.busy,
  state.radios,
  state.filter.mostEvents,
];

function brand({ node }: State): VirtualNode {
  return h(
    "div",
    { class: "brand" },
    h("span", { class: "mark" }, icon("tower")),
    h("h1", {}, h("span", { class: "product" }, "aerial"), h("span", { class: "node-name" }, node?.name ?? "")),
  );
}

function nav({ node, relay }: State): VirtualNode {
  const parts: (readonly [string, string])[] = [
    ["radios", "Radios"],
    ["health", "Health"],
    ["history", "History"],
    ["network", "Network"],
    ["node", "Node"],
  ];
  const shown = parts.filter(([id]) => id !== "network" || relay !== "off");
  if (node !== undefined && node.cluster.state !== "none") shown.push(["cluster", "Cluster"]);
  return h(
    "nav",
    { "aria-label": "Parts of the page" },
    h("ul", { role: "list" }, ...shown.map(([id, title]) => h("li", {}, h("a", { href: `#${id}` }, title)))),
  );
}

function isLocked(connection: State["connection"]): boolean {
  return connection.state === "lost" && connection.problem.status === 401;
}

function connectionWord({ connection }: State): VirtualNode {
  const { state } = connection;
  const words = { connecting: "Connecting", live: "Live", lost: isLocked(connection) ? "Locked" : "Offline" };
  return h(
    "p",
    { class: `live ${state}`, title: state === "live" ? "What changes is shown at once" : undefined },
    h("span", { class: "pulse" }),
    words[state],
  );
}

function connectionLost({ connection }: State, { retryNow }: Doors): Child {
  if (connection.state !== "lost") return undefined;
  const { problem, since } = connection;
  if (problem.status === 401)
    return h(
      "div",
      { class: "lost-bar", key: "lost" },
      h(
        "div",
        { class: "lost-inner" },
        icon("lock"),
        h("p", {}, h("strong", {}, "A token is needed. "), "This node is reached over the network."),
        button({ label: "Give a token", look: "quiet", onPress: () => update({ dialog: { name: "token" } }) }),
      ),
    );
  return h(
    "div",
    { class: "lost-bar", key: "lost" },
    h(
      "div",
      { class: "lost-inner" },
      icon("unplug"),
      h(
        "p",
        {},
        h("strong", {}, "Connection lost. "),
        `What you see is from ${describeClock(since)}. The page keeps trying.`,
        problem.status !== 0 && h("span", { class: "muted" }, ` ${problem.message}`),
      ),
      button({ icon: "refresh", label: "Try now", look: "quiet", onPress: retryNow }),
    ),
  );
}

interface Verdict {
  readonly tone: Tone;
  readonly drawing?: IconName;
  readonly title: string;
  readonly text: Child;
}

function verdict(state: State): VirtualNode {
  const { tone, drawing = toneIcons[tone], title, text } = judge(state);
  return h(
    "section",
    { class: `verdict ${tone}`, key: "verdict", "aria-labelledby": "verdict-title" },
    h("span", { class: "verdict-mark" }, icon(drawing)),
    h("div", { class: "verdict-words" }, h("h2", { id: "verdict-title" }, title), h("p", {}, text)),
    figures(state),
  );
}

function judge({ radios, report, conditions, node, connection }: State): Verdict {
  if (radios === undefined && isLocked(connection))
    return { tone: "plain", drawing: "lock", title: "This node is locked", text: "Give it a token, and it shows what is plugged in." };
  if (radios === undefined || node === undefined)
    return { tone: "plain", drawing: "search", title: "Looking around", text: "Asking what is plugged in." };
  if (!node.complete)
    return {
      tone: "plain",
      title: "Looking around",
      text: "The first scan since aerial started is on its way. This is what it remembers.",
    };
  const open = byCheck(openFindings(report?.findings ?? [])).map(([first]) => first);
  const broken = [...open.filter(({ level }) => level === "fail"), ...(conditions ?? []).filter(({ severity }) => severity === "error")];
  const doubtful = [
    ...open.filter(({ level }) => level === "warning"),
    ...(conditions ?? []).filter(({ severity }) => severity === "warning"),
  ];
  const worst = broken.length > 0 ? broken : doubtful;
  const [only] = worst;
  const text = [
    worst.length === 1 && only !== undefined ? `${sentence(only.text)} ` : "Each comes with its cause and its remedy. ",
    h("a", { href: "#health" }, broken.length > 0 ? "How to mend it" : "What to do"),
  ];
  if (broken.length > 0)
    return { tone: "fail", title: broken.length === 1 ? "One thing does not work" : `${broken.length} things do not work`, text };
  if (doubtful.length > 0)
    return { tone: "attention", title: doubtful.length === 1 ? "One thing needs a look" : `${doubtful.length} things need a look`, text };
  const here = radios.filter(({ state: is }) => is !== "absent").length;
  if (here === 0) return { tone: "plain", drawing: "plug", title: "Ready for a radio", text: "Plug one in: it shows up here at once." };
  return {
    tone: "well",
    title: "All is well",
    text: here === 1 ? "The radio is here, and nothing is in its way." : `${here} radios are here, and nothing is in their way.`,
  };
}

function figures({ radios, services, relay }: State): VirtualNode {
  const local = radios?.filter(({ attachment }) => attachment === "local");
  const numbers: (readonly [number | undefined, string, string])[] = [
    [local?.filter(({ state }) => state !== "absent").length, "radio here", "radios here"],
    [radios?.filter(({ attachment, state }) => attachment === "network" && state !== "absent").length, "on the network", "on the network"],
    [radios?.filter(({ state }) => state === "absent").length, "gone", "gone"],
  ];
  if (relay !== "off") numbers.push([services?.length, "service heard", "services heard"]);
  return h(
    "dl",
    { class: "figures" },
    ...numbers.map(([number, one, many]) =>
      h("div", {}, h("dt", {}, number === 1 ? one : many), h("dd", {}, number === undefined ? "–" : String(number))),
    ),
  );
}

function footer({ node }: State, { tokenChanged }: Doors): VirtualNode {
  return h(
    "footer",
    { class: "foot", key: "foot" },
    h("p", {}, node === undefined ? "aerial" : `aerial ${node.version}`),
    h("p", {}, h("a", { href: "docs" }, "API"), " · ", h("a", { href: "metrics" }, "Metrics")),
    token.current !== undefined &&
      button({
        label: "Forget the token",
        look: "quiet",
        onPress() {
          token.set(undefined);
          tokenChanged();
        },
      }),
  );
}
