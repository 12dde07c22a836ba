/** One radio in the list: what it is, where it is, who has it. */
import type { Radio, RadioDetail } from "../data/model.ts";
import { update } from "../data/store.ts";
import { type Child, h, memo, type Memo, type VirtualElement } from "../dom/element.ts";
import { certaintyInWords, kindIcon, kindsInWords, pathOf, placeOf, productOf, titleOf } from "../words/kind-words.ts";
import { icon } from "./icon.ts";
import { copyButton, counted, fact, pill, type Tone, when } from "./pieces.ts";

export interface CardFacts {
  readonly radio: Radio;
  readonly detail: RadioDetail | undefined;
  /** Findings about it that are no pass. */
  readonly findings: number;
}

export function radioCard(facts: CardFacts): Memo {
  const { radio, detail, findings } = facts;
  return memo(radio.id, [radio, detail?.holders, detail?.holdersUnknown, findings], () => drawCard(facts));
}

function drawCard({ radio, detail, findings }: CardFacts): VirtualElement {
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
          "p",
          { class: "kind" },
          h("span", { class: "kinds" }, kindsInWords(radio)),
          certainty !== "certain" && h("span", { class: "certainty" }, word),
        ),
      ),
      statePill(radio, findings),
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
    ),
  );
}

/** Long paths lose their beginning, which is the same for all, and keep their end. */
function bdi(path: string): VirtualElement {
  return h("bdi", {}, path);
}

export function statePill({ state }: Radio, findings = 0): VirtualElement {
  const [tone, words] = stateInWords(state, findings);
  return pill(tone, words);
}

function stateInWords(state: Radio["state"], findings: number): readonly [Tone, string] {
  if (state === "absent") return ["gone", "Gone"];
  if (state === "bootloader") return ["attention", "Bootloader"];
  return findings > 0 ? ["attention", counted(findings, "finding")] : ["well", "Here"];
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
