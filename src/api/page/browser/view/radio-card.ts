/** One radio in the list: what it is, where it is, who has it. */
import type { Finding, Radio, RadioDetail } from "../data/model.ts";
import { update } from "../data/store.ts";
import { type Child, h, memo, type Memo, type VirtualElement } from "../dom/element.ts";
import { certaintyInWords, kindIcon, kindsInWords, pathOf, placeOf, productOf, titleOf } from "../words/kind-words.ts";
import { icon } from "./icon.ts";
import { copyButton, counted, fact, pill, when } from "./pieces.ts";

export interface CardFacts {
  readonly radio: Radio;
  readonly detail: RadioDetail | undefined;
  readonly complaint: Complaint | undefined;
}

/** What is wrong with a radio, as `3 fail`; a word, so that two that say the same are the same. */
export type Complaint = `${number} ${"fail" | "attention"}`;

/** By the radios' ids: how many findings there are about each, and how bad the worst is. */
export function countComplaints(findings: readonly Finding[]): ReadonlyMap<string, Complaint> {
  const complaints = new Map<string, Complaint>();
  for (const { radioId, verdict, level } of findings) {
    if (radioId === undefined || verdict !== "fail" || level === "info") continue;
    const [count = "0", worst] = (complaints.get(radioId) ?? "0 attention").split(" ");
    complaints.set(radioId, `${Number(count) + 1} ${worst === "fail" || level === "fail" ? "fail" : "attention"}`);
  }
  return complaints;
}

export function radioCard(facts: CardFacts): Memo {
  const { radio, detail, complaint } = facts;
  return memo(radio.id, [radio, detail?.holders, detail?.holdersUnknown, complaint], () => drawCard(facts));
}

function drawCard({ radio, detail, complaint }: CardFacts): VirtualElement {
  const { id, state, certainty } = radio;
  const product = productOf(radio);
  const path = pathOf(radio);
  const { word } = certaintyInWords(radio);
  return h(
    "li",
    { class: `card radio ${state}`, key: id, "data-radio": id },
    h(
      "div",
      { class: "card-head" },
      h("span", { class: "badge" }, icon(kindIcon(radio))),
      h(
        "div",
        { class: "names" },
        h(
          "h3",
          {},
          h(
            "button",
            { type: "button", class: "open", "aria-haspopup": "dialog", onclick: () => update({ dialog: { name: "radio", id } }) },
            titleOf(radio),
          ),
        ),
        h(
          "div",
          { class: "kind" },
          h("span", {}, kindsInWords(radio)),
          certainty !== "certain" && h("span", { class: "certainty" }, word),
          statePill(radio, complaint),
        ),
      ),
    ),
    h(
      "dl",
      { class: "facts" },
      radio.name !== undefined && product !== undefined && fact("Model", product),
      fact("Port", placeOf(radio)),
      path !== undefined &&
        fact(
          "Path",
          h("span", { class: "path" }, h("code", { title: path }, bdi(path)), copyButton(path, `the path of ${titleOf(radio)}`)),
        ),
      state === "absent" ? fact("Last seen", when(radio.absentSince ?? radio.lastSeen)) : fact("Held by", heldBy(radio, detail)),
      radio.handedTo.length > 0 && fact("Given to", givenTo(radio)),
    ),
  );
}

/** Pods that have it, whether or not a process of theirs has it open. */
function givenTo({ handedTo }: Radio): string {
  return [...new Set(handedTo.map(({ namespace, pod }) => `${namespace}/${pod}`))].join(", ");
}

/** Long paths lose their beginning, which is the same for all, and keep their end. */
function bdi(path: string): VirtualElement {
  return h("bdi", {}, path);
}

export function statePill({ state }: Radio, complaint: Complaint | undefined): VirtualElement {
  if (state === "absent") return pill("gone", "Gone");
  if (state === "bootloader") return pill("attention", "Bootloader");
  if (complaint === undefined) return pill("well", "Here");
  const [count, worst] = complaint.split(" ");
  return pill(worst === "fail" ? "fail" : "attention", counted(Number(count), "finding"));
}

/** Who has it open now: processes, with their pods where they are known. */
export function heldBy({ lease, attachment, devicePaths }: Radio, detail: RadioDetail | undefined): Child {
  if (lease !== undefined) return [h("strong", {}, lease.owner), h("span", { class: "muted" }, ` · ${lease.holder}`)];
  if (attachment === "network") return h("span", { class: "muted" }, "whoever connects");
  if (detail === undefined) return h("span", { class: "muted" }, "…");
  if (detail.holdersUnknown !== undefined) return h("span", { class: "muted", title: detail.holdersUnknown }, "cannot tell");
  const [first, ...others] = detail.holders;
  if (first === undefined) return h("span", { class: "muted" }, devicePaths.length === 0 ? "the kernel" : "nobody");
  return [
    h("strong", {}, first.pod ?? first.name),
    h("span", { class: "muted" }, first.pod === undefined ? ` · process ${first.pid}` : ` · ${first.name}`),
    others.length > 0 && h("span", { class: "muted" }, ` and ${counted(others.length, "other")}`),
  ];
}
