/** The cluster's pods that want a radio: which they have, or what they wait for. */
import type { Radio, RadioPod, State } from "../data/model.ts";
import { h, type VirtualElement } from "../dom/element.ts";
import { titleOf } from "../words/kind-words.ts";
import { icon } from "./icon.ts";
import { counted, section, sentence, type Tone, toneIcons } from "./pieces.ts";

/** Nothing where nobody asks for a radio. */
export function podsPart({ pods, node, radios, problems }: State): VirtualElement | false {
  if (node === undefined || node.cluster.state === "none") return false;
  const problem = problems.get("pods");
  if (pods === undefined || problem !== undefined) return problem?.code === "pods.forbidden" && notAllowed(problem.hint ?? "");
  if (pods.length === 0) return false;
  return section(
    { id: "pods", title: "Pods that want a radio", aside: counted(pods.length, "pod") },
    h("ul", { class: "rows", role: "list" }, ...pods.toSorted(waitingFirst).map((pod) => podRow(pod, radios ?? []))),
  );
}

function notAllowed(hint: string): VirtualElement {
  return section(
    { id: "pods", title: "Pods that want a radio" },
    h("div", { class: "note" }, icon("info"), h("p", {}, "aerial may not list pods.", h("span", { class: "hint" }, sentence(hint)))),
  );
}

function waitingFirst(left: RadioPod, right: RadioPod): number {
  return Number(left.waiting === undefined) - Number(right.waiting === undefined);
}

function podRow({ namespace, name, node, phase, wants, holds, waiting }: RadioPod, radios: readonly Radio[]): VirtualElement {
  const tone: Tone = phase === "failed" ? "fail" : waiting === undefined ? "well" : "attention";
  const asked = wants.map(
    ({ way, request, count }) => `${count > 1 ? `${count} of ` : ""}${way === "resource-claim" ? "claim " : ""}${request}`,
  );
  const held = holds.map((id) => nameOf(id, radios));
  return h(
    "li",
    { key: `${namespace}/${name}`, class: `row ${tone}` },
    icon(toneIcons[tone]),
    h(
      "div",
      { class: "row-body" },
      h(
        "p",
        { class: "row-title" },
        `${namespace}/${name}`,
        h("span", { class: "muted" }, ` · ${phase}${node === undefined ? "" : ` on ${node}`}`),
      ),
      waiting !== undefined && h("p", {}, sentence(waiting)),
      h("p", { class: "muted" }, held.length === 0 ? `Asks for ${asked.join(", ")}` : `Has ${held.join(", ")} (${asked.join(", ")})`),
    ),
  );
}

function nameOf(id: string, radios: readonly Radio[]): string {
  const radio = radios.find((one) => one.id === id);
  return radio === undefined ? id : titleOf(radio);
}
