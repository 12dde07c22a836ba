/** Small words for checks. */
import type { FindingEvidence, FindingLevel, Outcome, Reading, Remedy } from "../core/check.ts";

type About = Pick<Outcome, "subject" | "radioId">;

export function pass(text: string, evidence: readonly FindingEvidence[] = [], about: About = {}): Outcome {
  return { verdict: "pass", text, evidence, ...about };
}

export interface Failure extends About {
  /** Where it weighs less than the check's own level says. */
  readonly level?: FindingLevel;
  readonly text: string;
  readonly evidence: readonly FindingEvidence[];
  readonly remedy: Remedy;
}

export function fail(failure: Failure): Outcome {
  return { verdict: "fail", ...failure };
}

/** `why` is a whole sentence: what cannot be told, and for what reason. */
export function unknown(why: string, evidence: readonly FindingEvidence[] = [], about: About = {}): Outcome {
  return { verdict: "unknown", text: why, evidence, ...about };
}

/** What a reading says, in a line. */
export function evidenceOf(source: string, reading: Reading<string>): FindingEvidence {
  if (reading.state === "read") return { source, value: reading.value };
  return { source, value: reading.state === "absent" ? "not there" : reading.why };
}

/** Why a reading has no value: for the end of a sentence. */
export function whyNot(reading: Exclude<Reading<unknown>, { readonly state: "read" }>): string {
  return reading.state === "absent" ? "it is not there" : reading.why;
}
