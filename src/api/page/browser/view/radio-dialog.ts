/** All about one radio. */
import { changeRadio } from "../data/actions.ts";
import type { Finding, Radio, RadioDetail, State } from "../data/model.ts";
import { type Child, h, type VirtualElement } from "../dom/element.ts";
import {
  certaintyInWords,
  kindIcon,
  kindName,
  kindsInWords,
  knownKinds,
  pathOf,
  placeOf,
  productOf,
  titleOf,
} from "../words/kind-words.ts";
import { dialog } from "./dialog.ts";
import { findingRow } from "./finding-row.ts";
import { historyEntry } from "./history-part.ts";
import { icon } from "./icon.ts";
import { copyButton, fact, problemNote, sentence, when } from "./pieces.ts";
import { countComplaints, heldBy, statePill } from "./radio-card.ts";

export function radioDialog(state: State, id: string): VirtualElement | false {
  const { radios, details, report, role } = state;
  const radio = radios?.find((one) => one.id === id);
  if (radio === undefined) return false;
  const detail = details.get(id);
  const certainty = certaintyInWords(radio);
  const findings = (report?.findings ?? []).filter(({ radioId, verdict }) => radioId === id && verdict === "fail");
  return dialog(
    { key: `radio ${id}`, title: titleOf(radio), head: statePill(radio, countComplaints(findings).get(id)), shape: "side" },
    h(
      "div",
      { class: "lead" },
      h("span", { class: "badge large" }, icon(kindIcon(radio))),
      h(
        "div",
        {},
        h("p", { class: "lead-kind" }, kindsInWords(radio), h("span", { class: "certainty" }, certainty.word)),
        h("p", { class: "muted" }, certainty.sentence),
      ),
    ),
    findings.length > 0 && whatIsWrong(findings, radio, report?.os.id === "talos"),
    role === "operator" && nameForm(state, radio),
    role === "operator" && kindForm(state, radio),
    h("h3", {}, "Where it is"),
    facts(radio, detail),
    h("h3", {}, "Why aerial thinks so"),
    evidence(radio),
    h("h3", {}, "What happened to it"),
    history(radio, detail),
  );
}

function whatIsWrong(findings: readonly Finding[], radio: Radio, isTalos: boolean): VirtualElement {
  return h(
    "ul",
    { class: "rows", role: "list", "aria-label": "Findings" },
    ...findings.map((finding, index) => findingRow({ finding, radio, isTalos, key: `${finding.id} ${index}` })),
  );
}

function nameForm({ busy, problems }: State, { id, name }: Radio): VirtualElement {
  const submit = (event: Event): void => {
    event.preventDefault();
    const field = new FormData(event.currentTarget as HTMLFormElement).get("name");
    const text = typeof field === "string" ? field.trim() : "";
    if (text !== (name ?? "")) void changeRadio(id, { name: text === "" ? null : text });
  };
  return h(
    "form",
    { class: "field", key: `name ${name ?? ""}`, onsubmit: submit },
    h("label", { for: "radio-name" }, "Name"),
    h(
      "div",
      { class: "field-row" },
      h("input", {
        id: "radio-name",
        name: "name",
        maxlength: "63",
        autocomplete: "off",
        spellcheck: "false",
        placeholder: "Such as: stick in the attic",
        value: name ?? "",
        "aria-describedby": "radio-name-help",
      }),
      h("button", { type: "submit", class: `button strong${busy.has("rename") ? " busy" : ""}` }, h("span", {}, "Save")),
    ),
    h("p", { class: "muted small", id: "radio-name-help" }, "It stays with the radio, wherever it is plugged in. Empty: no name."),
    problemNote(problems.get("rename"), "The name was not saved."),
  );
}

function kindForm({ busy, problems }: State, radio: Radio): VirtualElement {
  const { id, kinds, candidates, alternatives } = radio;
  const isSet = radio.evidence.some(({ source }) => source === "override");
  const choices = [...new Set([...candidates, ...kinds, ...alternatives, ...knownKinds])];
  const submit = (event: Event): void => {
    event.preventDefault();
    const kind = new FormData(event.currentTarget as HTMLFormElement).get("kind");
    if (typeof kind === "string") void changeRadio(id, { kind: kind === "" ? null : kind });
  };
  return h(
    "form",
    { class: "field", key: `kind ${isSet ? kinds.join() : ""}`, onsubmit: submit },
    h("label", { for: "radio-kind" }, "Kind"),
    h(
      "div",
      { class: "field-row" },
      h(
        "span",
        { class: "select" },
        h(
          "select",
          { id: "radio-kind", name: "kind", "aria-describedby": "radio-kind-help" },
          h("option", { value: "", selected: !isSet }, "As aerial finds it"),
          ...choices.map((kind) => h("option", { value: kind, selected: isSet && kinds.includes(kind) }, kindName(kind))),
        ),
      ),
      h("button", { type: "submit", class: `button${busy.has("kind") ? " busy" : ""}` }, h("span", {}, "Set")),
    ),
    h("p", { class: "muted small", id: "radio-kind-help" }, "Only where you know better: what you say here is published as it is."),
    problemNote(problems.get("kind"), "The kind was not set."),
  );
}

function facts(radio: Radio, detail: RadioDetail | undefined): VirtualElement {
  const { id, idBasis, devicePaths, byId, serial, driver, usb, adapter, firmware, line, network, firstSeen, lastSeen, state, absentSince } =
    radio;
  const path = pathOf(radio);
  return h(
    "dl",
    { class: "facts wide" },
    fact("Model", productOf(radio) ?? "unknown"),
    fact("Port", placeOf(radio)),
    path !== undefined && fact("Path to use", code(path, "the path")),
    byId !== undefined && devicePaths.length > 0 && fact("Now at", h("code", {}, devicePaths.join(", "))),
    network !== undefined && fact("Addresses", h("code", {}, network.addresses.join(", "))),
    network !== undefined && fact("Heard on", network.links.join(", ")),
    state !== "absent" && fact("Held by", heldBy(radio, detail)),
    detail?.holdersUnknown !== undefined && fact("", h("span", { class: "muted" }, sentence(detail.holdersUnknown))),
    detail !== undefined &&
      detail.holders.length > 1 &&
      fact("All holders", detail.holders.map(({ name, pid, pod }) => `${pod ?? name} (${name}, process ${pid})`).join("; ")),
    ...radio.handedTo.map(({ namespace, pod, container, since }) =>
      fact("Given to", `${namespace}/${pod}`, h("span", { class: "muted" }, ` · container ${container}, `), when(since)),
    ),
    radio.resource !== undefined &&
      fact("For pods", code(radio.resource, "the resource"), h("span", { class: "muted" }, "in resources.limits")),
    driver !== undefined && fact("Kernel driver", h("code", {}, driver)),
    adapter !== undefined &&
      fact("Adapter", h("code", {}, adapter), h("span", { class: "muted" }, " in the configuration of its software")),
    line !== undefined && fact("Serial line", `${line.baudRate} baud, ${line.rtscts ? "hardware flow control" : "no flow control"}`),
    firmware !== undefined && fact("Firmware", firmware),
    usb !== undefined &&
      fact(
        "USB",
        h("code", {}, `${usb.vendorId}:${usb.productId}`),
        usb.product !== undefined && ` ${usb.product}`,
        usb.manufacturer !== undefined && h("span", { class: "muted" }, ` by ${usb.manufacturer}`),
      ),
    serial !== undefined && fact("Serial number", h("code", {}, serial)),
    fact("Id", code(id, "the id"), idBasis !== "serial" && h("span", { class: "muted" }, idBasisInWords(idBasis))),
    fact("First seen", when(firstSeen)),
    state === "absent" ? fact("Gone since", when(absentSince ?? lastSeen)) : fact("Last change", when(lastSeen)),
  );
}

function idBasisInWords(basis: Radio["idBasis"]): string {
  if (basis === "port") return "It has no serial number of its own, so the id stands for what is in that port.";
  return basis === "name" ? "It stands for whatever answers at that name." : "It stands for whatever is in that place.";
}

function code(text: string, about: string): VirtualElement {
  return h("span", { class: "path" }, h("code", {}, text), copyButton(text, about));
}

function evidence({ evidence: pieces, sysPath }: Radio): Child {
  return [
    pieces.length === 0 && h("p", { class: "muted" }, "Nothing speaks for anything."),
    h(
      "ul",
      { class: "proofs", role: "list" },
      ...pieces.map(({ source, plugin, rule, score, detail }) =>
        h(
          "li",
          {},
          h("p", {}, sentence(detail)),
          h(
            "p",
            { class: "muted small" },
            source === "override" ? "Set by a person" : `${plugin} · ${rule} · matches ${Math.round(score)} of 100`,
          ),
        ),
      ),
    ),
    h("p", { class: "muted small" }, "Seen at ", h("code", {}, sysPath)),
  ];
}

function history({ id }: Radio, detail: RadioDetail | undefined): Child {
  if (detail === undefined) return h("p", { class: "muted" }, "…");
  if (detail.recent.length === 0) return h("p", { class: "muted" }, "Nothing yet.");
  return h(
    "ol",
    { class: "events", role: "list", "aria-label": `History of ${id}` },
    ...detail.recent.map((event) => historyEntry(event, { isKnown: false, isToday: true })),
  );
}
