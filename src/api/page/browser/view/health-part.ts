/** Is it well, and what to do about what is not. */
import { runDoctor } from "../data/actions.ts";
import type { Condition, Finding, State } from "../data/model.ts";
import { update } from "../data/store.ts";
import { type Child, h, memo, type Memo, type VirtualElement } from "../dom/element.ts";
import { findingGroup, findingRow } from "./finding-row.ts";
import { icon } from "./icon.ts";
import { button, counted, problemNote, section, sentence, skeletons, type Tone, when } from "./pieces.ts";

/** The worst first. */
const ranks = { fail: 0, error: 0, warning: 1, info: 2 } as const;
const tones: Readonly<Record<Condition["severity"], Tone>> = { error: "fail", warning: "attention", info: "plain" };

export function healthPart(state: State): VirtualElement {
  const { report, problems, busy, role } = state;
  const open = report === undefined ? [] : openFindings(report.findings);
  const canPatch = open.some(({ remedy }) => (remedy?.talos?.length ?? 0) > 0);
  const onTalos = report?.os.id === "talos";
  return section(
    {
      id: "health",
      title: "Health",
      aside: report !== undefined && ["checked ", when(report.at)],
      actions: [
        canPatch &&
          button({
            icon: "copy",
            label: "Patch for all",
            look: onTalos ? "strong" : "plain",
            onPress: () => update({ dialog: { name: "patch" } }),
            about: "findings, as Talos machine configuration",
          }),
        role === "operator" &&
          button({
            icon: "stethoscope",
            label: "Check now",
            onPress: () => void runDoctor(),
            busy: busy.has("doctor"),
            about: "the machine",
          }),
      ],
    },
    problemNote(problems.get("doctor"), "The machine could not be examined."),
    problemNote(problems.get("conditions"), "aerial's own conditions could not be read."),
    report === undefined && !problems.has("doctor") ? skeletons(2, "row") : findings(state, open),
  );
}

/** What is wrong or may be, the worst first. */
export function openFindings(all: readonly Finding[]): readonly Finding[] {
  return all.filter(({ verdict }) => verdict === "fail").toSorted((a, b) => ranks[a.level] - ranks[b.level]);
}

function findings({ report, conditions, radios }: State, open: readonly Finding[]): Child {
  const all = report?.findings ?? [];
  const passed = all.filter(({ verdict }) => verdict === "pass");
  const unknown = all.filter(({ verdict }) => verdict === "unknown");
  const notApplicable = report?.notApplicable ?? [];
  const isTalos = report?.os.id === "talos";
  const row = (found: readonly Finding[]): Memo => drawTogether(found, radios, isTalos);
  const wrong = [
    ...byCheck(open).map((found) => ({ rank: ranks[found[0].level], row: row(found) })),
    ...(conditions ?? []).map((condition) => ({ rank: ranks[condition.severity], row: conditionRow(condition) })),
  ].sort((a, b) => a.rank - b.rank);
  return [
    open.length === 0 &&
      (conditions ?? []).length === 0 &&
      report !== undefined &&
      h(
        "p",
        { class: "note well" },
        icon("well"),
        h(
          "span",
          {},
          `Nothing is wrong: ${counted(passed.length, "check")} passed${unknown.length > 0 ? `, ${unknown.length} could not tell` : ""}.`,
        ),
      ),
    wrong.length > 0 && h("ul", { class: "rows", role: "list", "aria-label": "What is wrong" }, ...wrong.map(({ row: drawn }) => drawn)),
    group("unknown", `${counted(unknown.length, "check")} could not tell`, byCheck(unknown).map(row)),
    group("passed", `${counted(passed.length, "check")} passed`, byCheck(passed).map(row)),
    group(
      "not-applicable",
      `${counted(notApplicable.length, "check")} had nothing to judge`,
      notApplicable.map(({ id, title, why }) =>
        h(
          "li",
          { class: "row plain", key: id },
          icon("info"),
          h(
            "div",
            { class: "row-body" },
            h("p", { class: "row-title" }, title, h("code", { class: "check" }, id)),
            h("p", { class: "muted" }, sentence(why)),
          ),
        ),
      ),
    ),
  ];
}

type Together = readonly [Finding, ...Finding[]];

/** What the same check says of several subjects is one thing to look at. */
export function byCheck(findings: readonly Finding[]): readonly Together[] {
  const checks = new Map<string, [Finding, ...Finding[]]>();
  for (const finding of findings) {
    const key = `${finding.id} ${finding.level}`;
    const same = checks.get(key);
    if (same === undefined) checks.set(key, [finding]);
    else same.push(finding);
  }
  return [...checks.values()];
}

function drawTogether(found: readonly Finding[], radios: State["radios"], isTalos: boolean): Memo {
  const [first] = found;
  const rows = found.map((finding, index) => ({
    finding,
    radio: radios?.find(({ id }) => id === finding.radioId),
    isTalos,
    key: `${finding.id} ${finding.subject ?? ""} ${index}`,
  }));
  const [only] = rows;
  return rows.length === 1 && only !== undefined
    ? findingRow(only)
    : findingGroup({ key: `${first?.id ?? ""} ${first?.level ?? ""} group`, rows });
}

/** Closed until somebody wants to know. */
function group(key: string, title: string, rows: readonly (Memo | VirtualElement)[]): VirtualElement | false {
  return (
    rows.length > 0 &&
    h("details", { class: "group", key }, h("summary", {}, icon("chevron"), title), h("ul", { class: "rows quiet", role: "list" }, ...rows))
  );
}

function conditionRow(condition: Condition): Memo {
  const { code, severity, text, since } = condition;
  return memo(code, [condition], () =>
    h(
      "li",
      { class: `row ${tones[severity]}`, key: code },
      icon(severity === "error" ? "fail" : severity === "warning" ? "attention" : "info"),
      h(
        "div",
        { class: "row-body" },
        h("p", { class: "row-title" }, sentence(text)),
        h("p", { class: "muted" }, h("code", { class: "check" }, code), " · since ", when(since)),
      ),
    ),
  );
}
