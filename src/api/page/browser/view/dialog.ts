/** What lies over the page: the browser's own <dialog>, which keeps the focus in and gives it back. */
import { update } from "../data/store.ts";
import { type Child, h, type VirtualElement } from "../dom/element.ts";
import { icon } from "./icon.ts";

interface DialogFacts {
  /** Another key is another dialog. */
  readonly key: string;
  readonly title: Child;
  readonly head?: Child;
  /** `side`: as high as the window, at its side. */
  readonly shape?: "side" | "middle";
  /** What is in it takes the focus itself. */
  readonly focusesContent?: boolean;
}

export function dialog(
  { key, title, head, shape = "middle", focusesContent = false }: DialogFacts,
  ...children: readonly Child[]
): VirtualElement {
  return h(
    "dialog",
    {
      key,
      class: `dialog ${shape}`,
      "aria-labelledby": "dialog-title",
      mounted: (element) => (element as HTMLDialogElement).showModal(),
      onclose: () => update({ dialog: undefined }),
      // A press beside it closes it; what is inside covers the dialog itself.
      onclick: (event: Event) => event.target === event.currentTarget && closeDialog(),
    },
    h(
      "div",
      { class: "sheet" },
      h(
        "header",
        { class: "sheet-head" },
        h("h2", { id: "dialog-title", tabindex: "-1", autofocus: !focusesContent }, title),
        head,
        h("button", { type: "button", class: "close", "aria-label": "Close", onclick: closeDialog }, icon("close")),
      ),
      h("div", { class: "sheet-body" }, ...children),
    ),
  );
}

export function closeDialog(): void {
  document.querySelector<HTMLDialogElement>("dialog[open]")?.close();
}
