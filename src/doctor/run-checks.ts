/** Puts the checks to the facts. */
import type { Check, Facts, Finding, Outcome } from "../core/check.ts";
import { describeError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";

export interface Judgement {
  readonly findings: readonly Finding[];
  readonly notApplicable: readonly { readonly id: string; readonly title: string; readonly why: string }[];
}

/** A finding is for people: what a device or a file put into it must not fill their screen. */
const longest = { text: 600, value: 300, evidence: 20, outcomes: 500 } as const;

/** All checks, in their order. One that throws costs an `unknown` finding of its own, and nothing else. */
export function runChecks(checks: readonly Check[], facts: Facts): Judgement {
  const findings: Finding[] = [];
  const notApplicable: { id: string; title: string; why: string }[] = [];
  for (const check of checks) {
    const outcomes = judge(check, facts);
    if (typeof outcomes === "string") notApplicable.push({ id: check.id, title: check.title, why: shorten(outcomes, longest.text) });
    else findings.push(...outcomes.map((outcome) => toFinding(check, outcome)));
  }
  return { findings, notApplicable };
}

function judge(check: Check, facts: Facts): readonly Outcome[] | string {
  try {
    const outcomes = check.judge(facts);
    return typeof outcomes === "string" ? outcomes : outcomes.slice(0, longest.outcomes);
  } catch (error) {
    return [{ verdict: "unknown", text: `This check has failed itself, which is a fault in it: ${describeError(error)}.`, evidence: [] }];
  }
}

/** An outcome with its check, safe to print. */
export function toFinding({ id, level, title, source }: Omit<Check, "reads" | "judge">, outcome: Outcome): Finding {
  const { subject, remedy } = outcome;
  return {
    id,
    level,
    title,
    source,
    ...outcome,
    ...(subject !== undefined && { subject: shorten(subject, longest.value) }),
    text: shorten(outcome.text, longest.text),
    evidence: outcome.evidence.slice(0, longest.evidence).map((piece) => ({
      source: shorten(piece.source, longest.value),
      value: shorten(piece.value, longest.value),
    })),
    ...(remedy !== undefined && { remedy: { ...remedy, text: shorten(remedy.text, longest.text) } }),
  };
}

function shorten(text: string, length: number): string {
  const safe = printable(text.replaceAll("\n", " · "));
  return safe.length <= length ? safe : `${safe.slice(0, length - 1)}…`;
}
