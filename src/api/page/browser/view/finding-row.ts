/** One finding: the sentence, and on demand what it rests on and what mends it. */
import { loadPatch, patchKey } from "../data/actions.ts";
import type { Finding, Radio, Remedy } from "../data/model.ts";
import { currentState, update } from "../data/store.ts";
import { type Child, h, memo, type Memo, type VirtualElement } from "../dom/element.ts";
import { titleOf } from "../words/kind-words.ts";
import { icon, type IconName } from "./icon.ts";
import { button, codeBlock, counted, sentence, type Tone, toneIcons } from "./pieces.ts";

interface RowFacts {
  readonly finding: Finding;
  /** The radio it is about. */
  readonly radio: Radio | undefined;
  readonly isTalos: boolean;
  readonly key: string;
}

export function findingRow(facts: RowFacts): Memo {
  const { finding, radio, isTalos, key } = facts;
  return memo(key, [finding, radio?.name, isTalos, currentState().patches.get(patchKey(finding.id))], () => drawRow(facts));
}

/** What one check says of several subjects, as one row. */
export function findingGroup(facts: { readonly key: string; readonly rows: readonly RowFacts[] }): Memo {
  const { key, rows } = facts;
  const [first] = rows;
  const drawn = rows.map(findingRow);
  return memo(key, [rows.length, ...drawn.flatMap(({ from }) => from)], () => {
    if (first === undefined) return h("li", { key });
    const aside = [`${first.finding.title} · and ${counted(rows.length - 1, "more like it", "more like it")}`];
    return row({ ...first, key, aside }, h("ul", { class: "rows nested", role: "list" }, ...drawn));
  });
}

const levelTones: Readonly<Record<Finding["level"], Tone>> = { fail: "fail", warning: "attention", info: "plain" };
const levelWords: Readonly<Record<Finding["level"], string>> = { fail: "Does not work", warning: "May not work", info: "Good to know" };

function toneOf({ verdict, level }: Pick<Finding, "verdict" | "level">): Tone {
  if (verdict === "fail") return levelTones[level];
  return verdict === "pass" ? "well" : "plain";
}

function iconOf({ verdict, level }: Finding): IconName {
  if (verdict === "unknown") return "unknown";
  return toneIcons[toneOf({ verdict, level })];
}

/** The icon says it to the eye. */
function levelInWords({ verdict, level }: Finding): VirtualElement | false {
  return verdict === "fail" && h("span", { class: "unseen" }, `${levelWords[level]}: `);
}

function drawRow(facts: RowFacts): VirtualElement {
  const { finding, radio, isTalos } = facts;
  const about = radio === undefined ? finding.subject : titleOf(radio);
  const more = h(
    "div",
    { class: "row-more" },
    finding.remedy !== undefined && remedy(finding, finding.remedy, isTalos),
    evidence(finding),
    source(finding),
  );
  return row({ ...facts, aside: [finding.title, about !== undefined && ` · ${about}`] }, more);
}

interface RowWords extends Pick<RowFacts, "finding" | "key"> {
  /** What stands below the sentence. */
  readonly aside: readonly Child[];
}

/** The sentence, and `more` once it is opened. */
function row({ finding, key, aside }: RowWords, more: VirtualElement): VirtualElement {
  return h(
    "li",
    { class: `row ${toneOf(finding)}`, key },
    icon(iconOf(finding)),
    h(
      "details",
      { class: "row-body" },
      h(
        "summary",
        {},
        h(
          "span",
          { class: "row-text" },
          h("span", { class: "row-title" }, levelInWords(finding), sentence(finding.text)),
          h("span", { class: "muted" }, ...aside),
        ),
        h("code", { class: "check" }, finding.id),
        icon("chevron"),
      ),
      more,
    ),
  );
}

function evidence({ evidence: pieces }: Finding): VirtualElement | false {
  return (
    pieces.length > 0 &&
    h(
      "div",
      { class: "evidence" },
      h("h4", {}, "What aerial saw"),
      h(
        "dl",
        {},
        ...pieces.map(({ source: from, value }) => h("div", {}, h("dt", {}, h("code", {}, from)), h("dd", {}, h("code", {}, value)))),
      ),
    )
  );
}

function source({ source: from }: Finding): VirtualElement {
  return h("p", { class: "muted small" }, `After ${from}`);
}

function remedy(finding: Finding, { text, talos, linux }: Remedy, isTalos: boolean): VirtualElement {
  const hasTalos = talos !== undefined && talos.length > 0;
  const hasLinux = linux !== undefined && linux.length > 0;
  const onTalos = hasTalos && talosRemedy(finding);
  const onLinux =
    hasLinux && h("div", { key: "linux" }, h("h5", {}, "On Linux"), codeBlock(linux.join("\n"), `the commands for ${finding.id}`));
  const [first, second]: readonly Child[] = isTalos ? [onTalos, onLinux] : [onLinux, onTalos];
  return h(
    "div",
    { class: "remedy" },
    h("h4", {}, "What to do"),
    h("p", {}, sentence(text)),
    first,
    Boolean(first) && Boolean(second)
      ? h("details", { class: "otherwise" }, h("summary", {}, icon("chevron"), isTalos ? "On another Linux" : "On Talos"), second)
      : second,
  );
}

/** The patch is written by the daemon, for the form of the machine's configuration, and asked for when somebody looks. */
function talosRemedy({ id }: Finding): VirtualElement {
  const patch = currentState().patches.get(patchKey(id));
  return h(
    "div",
    { key: "talos", class: "talos" },
    h("h5", {}, "On Talos, as a machine-config patch"),
    patch === undefined
      ? button({ icon: "copy", label: "Show the patch", onPress: () => void loadPatch(id), about: `for ${id}` })
      : codeBlock(patch, `the patch for ${id}`),
    button({ label: "Patch for everything", look: "quiet", onPress: () => update({ dialog: { name: "patch" } }) }),
  );
}
