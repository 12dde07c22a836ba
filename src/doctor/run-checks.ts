/** Puts the checks to the facts. */
import type { Check, Facts, Finding, Outcome } from "../core/check.ts";
import { type CheckAnswer, type CheckFace, judgeCheck } from "../core/judge-check.ts";
import { printable } from "../core/printable.ts";

export interface Judgement {
  readonly findings: readonly Finding[];
  readonly notApplicable: readonly { readonly id: string; readonly title: string; readonly why: string }[];
}

/** A finding is for people: what a device or a file put into it must not fill their screen. */
const longest = { text: 600, value: 300, evidence: 20, outcomes: 500 } as const;

/** All checks, in their order. One that throws costs an `unknown` finding of its own, and nothing else. */
export function runChecks(checks: readonly Check[], facts: Facts): Judgement {
  return toJudgement(checks.map((check) => ({ check, answer: judgeCheck(check, facts) })));
}

/** What checks said, as findings that are safe to print. */
export function toJudgement(answers: readonly CheckAnswer[]): Judgement {
  const findings: Finding[] = [];
  const notApplicable: { id: string; title: string; why: string }[] = [];
  for (const { check, answer } of answers) {
    if (typeof answer === "string") notApplicable.push({ id: check.id, title: check.title, why: shorten(answer, longest.text) });
    else findings.push(...answer.slice(0, longest.outcomes).map((outcome) => toFinding(check, outcome)));
  }
  return { findings, notApplicable };
}

/** An outcome with its check, safe to print. */
function toFinding({ id, level, title, source }: CheckFace, outcome: Outcome): Finding {
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
