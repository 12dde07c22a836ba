/** The doctor's report as people read it: what is wrong first, then what nobody can tell. */
import type { DoctorReport, Finding } from "../core/check.ts";
import { printable } from "../core/printable.ts";
import type { Color, Terminal } from "./terminal.ts";

export interface DoctorFormat {
  /** What passed and what there was nothing to judge about, too. */
  readonly all: boolean;
}

interface Group {
  readonly title: string;
  readonly color: Color;
  readonly mark: string;
  readonly takes: (finding: Finding) => boolean;
}

const groups: readonly Group[] = [
  { title: "Does not work", color: "red", mark: "✗", takes: ({ verdict, level }) => verdict === "fail" && level === "fail" },
  { title: "May not work", color: "yellow", mark: "!", takes: ({ verdict, level }) => verdict === "fail" && level === "warning" },
  { title: "Good to know", color: "bold", mark: "i", takes: ({ verdict, level }) => verdict === "fail" && level === "info" },
  { title: "Cannot be told", color: "dim", mark: "?", takes: ({ verdict }) => verdict === "unknown" },
];
const passed: Group = { title: "Well", color: "green", mark: "✓", takes: ({ verdict }) => verdict === "pass" };

/** Lines for people. What comes from outside is made printable. */
export function formatReport(report: DoctorReport, terminal: Terminal, { all }: DoctorFormat): readonly string[] {
  const { findings, notApplicable, os, at } = report;
  const lines: string[] = [];
  for (const group of all ? [...groups, passed] : groups) {
    const members = findings.filter(group.takes);
    if (members.length === 0) continue;
    lines.push(terminal.paint("bold", group.title));
    for (const finding of members) lines.push(...formatFinding(finding, group, { terminal, os: os.id }));
    lines.push("");
  }
  if (all && notApplicable.length > 0) {
    lines.push(terminal.paint("bold", "Nothing to judge"));
    for (const { id, title, why } of notApplicable) lines.push(terminal.paint("dim", `  - ${printable(`${id} ${title}: ${why}`)}`));
    lines.push("");
  }
  lines.push(summarize(report, at));
  if (!all)
    lines.push(terminal.paint("dim", "--all shows what is well; --patch prints a Talos machine-config patch for what it can mend."));
  return lines;
}

function formatFinding(
  finding: Finding,
  { color, mark, takes }: Group,
  { terminal, os }: { readonly terminal: Terminal; readonly os: string },
): string[] {
  const { id, text, evidence, remedy } = finding;
  const head = `  ${terminal.paint(color, mark)} ${printable(text)} ${terminal.paint("dim", printable(`[${id}]`))}`;
  if (takes === passed.takes) return [head];
  return [
    head,
    ...evidence.map(({ source, value }) => terminal.paint("dim", `      ${printable(`${source}: ${value}`)}`)),
    ...(remedy === undefined ? [] : [`      → ${printable(remedy.text)}`]),
    ...(os === "talos" ? [] : (remedy?.linux ?? []).map((command) => `        ${printable(command)}`)),
  ];
}

/** `3 do not work, 1 may not, 2 cannot be told, 41 are well, 12 have nothing to judge (Talos 1.13.9, 2026-…).` */
function summarize({ findings, notApplicable, os }: DoctorReport, at: string): string {
  const count = (wanted: Group): number => findings.filter(wanted.takes).length;
  const [dead = 0, doubtful = 0, notes = 0, dark = 0] = groups.map(count);
  const parts = [
    dead > 0 && `${dead} ${dead === 1 ? "thing does" : "things do"} not work`,
    doubtful > 0 && `${doubtful} may not`,
    notes > 0 && `${notes} good to know`,
    dark > 0 && `${dark} cannot be told`,
    `${count(passed)} well`,
    `${notApplicable.length} with nothing to judge`,
  ].filter((part) => part !== false);
  return printable(`${parts.join(", ")} (${os.name}, ${at}).`);
}
