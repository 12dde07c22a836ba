/** The page's beginning: draws, asks for what there is, and follows what happens. */
import { loadPatch } from "./data/actions.ts";
import { announce } from "./data/announce.ts";
import type { Connection } from "./data/connection.ts";
import { followEvents } from "./data/event-stream.ts";
import type { HistoryEvent, Resource, State } from "./data/model.ts";
import type { ServerEvent } from "./data/parse-events.ts";
import { mergeEvents, reload, reloadDetail, tellWhenRefused } from "./data/reload.ts";
import { currentState, drawWith, redraw, update } from "./data/store.ts";
import { tellRoleTo, token } from "./data/requests.ts";
import { createRoot } from "./dom/patch.ts";
import { frame } from "./view/frame.ts";
import { keepTimesFresh } from "./view/pieces.ts";
import { sentence } from "./view/pieces.ts";

const everything: readonly Resource[] = ["radios", "node", "conditions", "events", "doctor", "config", "plugins"];
/** By the name of a hint. */
const changed: Readonly<Record<string, readonly Resource[]>> = {
  node: ["node"],
  radios: ["radios", "node"],
  conditions: ["conditions"],
  findings: ["doctor"],
  relay: ["relay", "services"],
  pods: ["radios"],
};
const clockMs = 10_000;
const countersMs = 3_000;
const servicesMs = 10_000;
const holdersMs = 15_000;
const clusterMs = 30_000;
/** Reports older than a minute are made anew when they are asked for. */
const doctorMs = 65_000;
const lateMs = 1_500;

const narrow = matchMedia("(max-width: 620px)");
const page = document.getElementById("page");
if (page === null) throw new ReferenceError("index.html has no #page");
page.replaceChildren();
const draw = createRoot(page);

const stream = followEvents({ opened: reloadEverything, event: hear, connection: tellConnection }, new AbortController().signal);
const doors = {
  retryNow: stream.retryNow,
  tokenChanged() {
    reloadEverything();
    stream.retryNow();
  },
};
drawWith((state) => {
  draw(frame(state, narrow.matches, doors));
  followDialog(state);
  document.title = state.node === undefined ? "aerial" : `${state.node.name} · aerial`;
});
narrow.addEventListener("change", redraw);
tellRoleTo((role) => role !== currentState().role && update({ role }));
tellWhenRefused(() => {
  if (currentState().dialog?.name === "token") return;
  update({ dialog: { name: "token", ...(token.current !== undefined && { problem: "This token is not known here. Try another." }) } });
});

reload(...everything);
setTimeout(() => update({ isLate: true }), lateMs);
every(clockMs, keepTimesFresh);
every(countersMs, () => hasRelay() && isInSight("network") && reload("relay"));
every(servicesMs, () => hasRelay() && isInSight("network") && reload("services"));
every(holdersMs, reloadHolders);
every(doctorMs, () => reload("doctor"));
every(clusterMs, () => isInCluster() && reload("cluster", "pods"));

function reloadEverything(): void {
  reload(...everything);
  if (hasRelay()) reload("relay", "services");
  if (isInCluster()) reload("cluster", "pods");
  reloadHolders();
}

function hear({ type, data }: ServerEvent): void {
  if (type === "history") {
    const event = JSON.parse(data) as HistoryEvent;
    update({ events: mergeEvents([event], currentState().events ?? []) });
    if (event.type === "attached" || event.type === "detached" || event.type === "reattached") announce(sentence(event.text));
    reload("radios", "node");
  } else if (type === "reset") {
    // Another history than the one that is shown, or a gap in it.
    update({ events: undefined });
    reload("events");
  } else {
    reload(...(changed[type] ?? []));
    if (type === "radios" || type === "pods") reloadHolders();
    if (type === "pods" && isInCluster()) reload("pods");
  }
}

function tellConnection(connection: Connection): void {
  const before = currentState().connection.state;
  update({ connection });
  if (connection.state === "lost" && before === "live") announce("Connection lost. The page keeps trying.");
  if (connection.state === "live" && before === "lost") announce("Connected again.");
}

function isInCluster(): boolean {
  const state = currentState().node?.cluster.state;
  return state !== undefined && state !== "none";
}

function hasRelay(): boolean {
  const { relay } = currentState();
  return relay !== undefined && relay !== "off";
}

let inCluster = false;
let dialogOf: string | undefined;

/** A dialog that was just opened asks for what it shows. */
function followDialog({ dialog }: State): void {
  const name = dialog === undefined ? undefined : dialog.name === "radio" ? dialog.id : dialog.name;
  if (name !== dialogOf) {
    dialogOf = name;
    if (dialog?.name === "radio") void reloadDetail(dialog.id);
    if (dialog?.name === "patch") void loadPatch(undefined);
    document.documentElement.classList.toggle("covered", dialog !== undefined);
  }
  if (isInCluster() !== inCluster) {
    inCluster = isInCluster();
    if (inCluster) reload("cluster", "pods");
  }
  askForHolders();
}

const asked = new Set<string>();

/** Of radios that have come into the list: who holds them is not in it. */
function askForHolders(): void {
  for (const { id, state, attachment } of currentState().radios ?? []) {
    if (asked.has(id) || state === "absent" || attachment === "network" || asked.size >= 40) continue;
    asked.add(id);
    void reloadDetail(id);
  }
}

function reloadHolders(): void {
  for (const id of asked) {
    const radio = currentState().radios?.find((one) => one.id === id);
    if (radio === undefined || radio.state === "absent") asked.delete(id);
    else void reloadDetail(id);
  }
}

/** While somebody looks. */
function every(milliseconds: number, run: () => void): void {
  setInterval(() => document.visibilityState === "visible" && run(), milliseconds);
}

function isInSight(id: string): boolean {
  const box = document.getElementById(id)?.getBoundingClientRect();
  return box !== undefined && box.top < innerHeight && box.bottom > 0;
}
