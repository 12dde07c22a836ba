/** One Talos patch for everything that a patch can mend. */
import { loadPatch, patchKey, saveAs } from "../data/actions.ts";
import type { State, TalosVersion } from "../data/model.ts";
import { update } from "../data/store.ts";
import { h, type VirtualElement } from "../dom/element.ts";
import { dialog } from "./dialog.ts";
import { button, codeBlock, problemNote, skeletons } from "./pieces.ts";

const versions = ["1.12", "1.13", "1.14"] as const satisfies readonly TalosVersion[];

export function patchDialog({ patches, talosVersion, problems, report }: State): VirtualElement {
  const patch = patches.get(patchKey(undefined));
  const choose = (event: Event): void => {
    const value = (event.target as HTMLSelectElement).value;
    update({ talosVersion: versions.find((version) => version === value) });
    void loadPatch(undefined);
  };
  return dialog(
    { key: "patch", title: "Patch for Talos" },
    h("p", {}, "Everything that a machine-config patch can mend, in one. Read it, save it, and apply it to this node:"),
    codeBlock("talosctl patch machineconfig --nodes <node> --patch @aerial-patch.yaml", "the command"),
    h(
      "div",
      { class: "field-row" },
      h("label", { for: "talos-version" }, "Written for"),
      h(
        "span",
        { class: "select" },
        h(
          "select",
          { id: "talos-version", onchange: choose },
          h("option", { value: "" }, report?.os.id === "talos" ? `this machine (${report.os.name})` : "the newest Talos"),
          ...versions.map((version) => h("option", { value: version, selected: version === talosVersion }, `Talos ${version}`)),
        ),
      ),
      patch !== undefined &&
        button({
          icon: "download",
          label: "Save",
          onPress: () => saveAs(new Blob([patch], { type: "application/yaml" }), "aerial-patch.yaml"),
          about: "the patch",
        }),
    ),
    problemNote(problems.get("doctor"), "The patch could not be written."),
    patch === undefined ? skeletons(3, "row") : codeBlock(patch, "the patch"),
  );
}
