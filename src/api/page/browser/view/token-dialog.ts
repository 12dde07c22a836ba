/** Asks for a token where the API is reached over the network. */
import { token } from "../data/requests.ts";
import { h, type VirtualElement } from "../dom/element.ts";
import { closeDialog, dialog } from "./dialog.ts";
import { icon } from "./icon.ts";

export function tokenDialog(problem: string | undefined, onToken: () => void): VirtualElement {
  const submit = (event: Event): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get("token");
    if (typeof given !== "string" || given.trim() === "") return;
    token.set(given.trim());
    closeDialog();
    onToken();
  };
  return dialog(
    { key: "token", title: "Who is there?", focusesContent: true },
    h("p", {}, "This node is reached over the network, so it asks for a token. Viewers see everything; operators act as well."),
    h(
      "form",
      { class: "field", onsubmit: submit },
      h("label", { for: "token" }, "Token"),
      h(
        "div",
        { class: "field-row" },
        h("input", {
          id: "token",
          name: "token",
          type: "password",
          autocomplete: "off",
          spellcheck: "false",
          required: true,
          autofocus: true,
          "aria-describedby": "token-help",
        }),
        h("button", { type: "submit", class: "button strong" }, h("span", {}, "Come in")),
      ),
      problem !== undefined && h("p", { class: "note fail", role: "alert" }, icon("fail"), h("span", {}, problem)),
      h(
        "p",
        { class: "muted small", id: "token-help" },
        "It is one of ",
        h("code", {}, "api.tokens"),
        " in the configuration, or a token of the cluster where those are taken. This tab forgets it when it is closed.",
      ),
    ),
  );
}
