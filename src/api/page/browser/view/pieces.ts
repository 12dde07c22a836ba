/** Small pieces that every part of the page is made of. */
import { copyText } from "../data/actions.ts";
import { announce } from "../data/announce.ts";
import type { Problem } from "../data/problem.ts";
import { type Child, h, type VirtualElement } from "../dom/element.ts";
import { describeAgo, describeExactly, describeTime } from "../words/when.ts";
import { icon, type IconName } from "./icon.ts";

/** `well`: nothing to do. `attention`: look at it. `fail`: does not work. `gone`: was there. `plain`: neither good nor bad. */
export type Tone = "well" | "attention" | "fail" | "gone" | "plain";

export const toneIcons: Readonly<Record<Tone, IconName>> = {
  well: "well",
  attention: "attention",
  fail: "fail",
  gone: "unplug",
  plain: "info",
};

/** Relative, exact on hover; `keepTimesFresh` rewrites it as time goes by. */
export function when(at: string): VirtualElement {
  const milliseconds = Date.parse(at);
  return h("time", { datetime: at, title: describeExactly(milliseconds), class: "when" }, describeAgo(milliseconds, Date.now()));
}

/** The time of day, the whole of it on hover. */
export function timeOfDay(at: string): VirtualElement {
  const milliseconds = Date.parse(at);
  return h("time", { datetime: at, title: describeExactly(milliseconds), class: "clock" }, describeTime(milliseconds));
}

/** Rewrites relative times in place: nothing else of the page depends on what time it is. */
export function keepTimesFresh(): void {
  const now = Date.now();
  for (const element of document.querySelectorAll<HTMLTimeElement>("time.when")) {
    const words = describeAgo(Date.parse(element.dateTime), now);
    const text = element.firstChild;
    if (text !== null && text.nodeValue !== words) text.nodeValue = words;
  }
}

export function pill(tone: Tone, ...words: readonly Child[]): VirtualElement {
  return h("span", { class: `pill ${tone}` }, icon(toneIcons[tone]), h("span", {}, ...words));
}

interface ButtonOptions {
  readonly icon?: IconName;
  readonly label: string;
  readonly onPress: () => void;
  readonly look?: "plain" | "strong" | "quiet";
  /** Still at it: pressed again it does nothing. */
  readonly busy?: boolean;
  /** What it is about, for those who hear it by itself. */
  readonly about?: string;
}

export function button({ icon: drawing, label, onPress, look = "plain", busy = false, about }: ButtonOptions): VirtualElement {
  return h(
    "button",
    {
      type: "button",
      class: `button ${look}${busy ? " busy" : ""}`,
      "aria-disabled": busy ? "true" : undefined,
      "aria-label": about === undefined ? undefined : `${label} ${about}`,
      onclick: () => !busy && onPress(),
    },
    drawing !== undefined && icon(drawing),
    h("span", {}, label),
  );
}

/** Copies `text`; says so for a moment, in its own words and to screen readers. */
export function copyButton(text: string, about: string): VirtualElement {
  const onclick = async (event: Event): Promise<void> => {
    const pressed = event.currentTarget as HTMLElement;
    const done = await copyText(text);
    announce(done ? `Copied ${about}.` : "The browser does not let the page copy; select the text instead.");
    pressed.classList.toggle("done", done);
    setTimeout(() => pressed.classList.remove("done"), 1_600);
  };
  return h(
    "button",
    { type: "button", class: "copy", "aria-label": `Copy ${about}`, title: "Copy", onclick: (event: Event) => void onclick(event) },
    h("span", { class: "before" }, icon("copy")),
    h("span", { class: "after" }, icon("well")),
  );
}

/** Text to take along, word for word. */
export function codeBlock(text: string, about: string): VirtualElement {
  return h(
    "div",
    { class: "code" },
    h("pre", { tabindex: "0", role: "group", "aria-label": about }, h("code", {}, text)),
    copyButton(text, about),
  );
}

/** What went wrong and what to do about it, where it went wrong. */
export function problemNote(problem: Problem | undefined, what: string): VirtualElement | undefined {
  if (problem === undefined || problem.status === 401) return undefined;
  return h(
    "div",
    { class: "note fail", role: "group", "aria-label": "Problem" },
    icon("fail"),
    h(
      "p",
      {},
      h("strong", {}, `${what} `),
      sentence(problem.message),
      problem.hint !== undefined && h("span", { class: "hint" }, sentence(problem.hint)),
    ),
  );
}

/** As a sentence: the API's details begin small and end open. Names such as `eth0` and `mDNS` stay as they are. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const isWord = /^[a-z]+([\s,;:]|$)/.test(trimmed) && !trimmed.startsWith("aerial");
  return `${isWord ? trimmed.charAt(0).toUpperCase() : trimmed.charAt(0)}${trimmed.slice(1)}${/[.!?:]$/.test(trimmed) ? "" : "."}`;
}

/** A part of the page, with a heading and what can be done there. */
export function section(
  { id, title, aside, actions }: { readonly id: string; readonly title: string; readonly aside?: Child; readonly actions?: Child },
  ...children: readonly Child[]
): VirtualElement {
  return h(
    "section",
    { id, key: id, "aria-labelledby": `${id}-title`, class: "part" },
    h(
      "header",
      { class: "part-head" },
      h("h2", { id: `${id}-title` }, title, h("span", { class: "aside" }, aside)),
      h("div", { class: "actions" }, actions),
    ),
    ...children,
  );
}

/** A pair of a name and a value in a `<dl>`. */
export function fact(name: string, ...value: readonly Child[]): VirtualElement {
  return h("div", { class: "fact" }, h("dt", {}, name), h("dd", {}, ...value));
}

/** As many grey shapes as there will be things, about as tall as they will be. */
export function skeletons(count: number, kind: "card" | "row"): VirtualElement {
  return h(
    "div",
    { class: `skeletons ${kind}s`, "aria-hidden": "true" },
    ...Array.from({ length: count }, () => h("div", { class: `skeleton ${kind}` })),
  );
}

/** `1 radio`, `3 radios`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
