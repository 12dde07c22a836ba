/** One check put to the facts, whatever it does. */
import type { Check, Facts, Outcome } from "./check.ts";
import { describeError } from "./errors.ts";

/** Everything of a check but its function. */
export type CheckFace = Omit<Check, "judge">;

/** What a check said. */
export interface CheckAnswer {
  readonly check: CheckFace;
  /** A sentence: why there was nothing to judge. */
  readonly answer: readonly Outcome[] | string;
}

/** A check that throws costs an `unknown` of its own, and nothing else. */
export function judgeCheck(check: Check, facts: Facts): readonly Outcome[] | string {
  try {
    return check.judge(facts);
  } catch (error) {
    return [failedCheck(describeError(error))];
  }
}

/** What is said in place of a check that has failed itself. */
export function failedCheck(why: string): Outcome {
  return { verdict: "unknown", text: `This check has failed itself, which is a fault in it: ${why}.`, evidence: [] };
}
