/** What is wrong after a look, told as conditions: those that no longer hold end. */
import type { Condition, Conditions } from "../../core/condition.ts";

export interface Finding {
  readonly code: string;
  readonly severity: Condition["severity"];
  readonly text: string;
}

/** Sentences of one condition at most, lest a cluster full of pods fills it. */
const mostSentences = 5;

/** Gives what takes the findings of each look, all of them at once. `codes` are all that there can be. */
export function createFindingReport(conditions: Conditions, codes: readonly string[]): (findings: readonly Finding[]) => void {
  return (findings) => {
    for (const code of codes) {
      const [first, ...rest] = findings.filter((finding) => finding.code === code);
      if (first === undefined) {
        conditions.clear(code);
        continue;
      }
      const texts = [...new Set([first, ...rest].map(({ text }) => text))];
      const more = texts.length > mostSentences ? [`And ${texts.length - mostSentences} more.`] : [];
      conditions.raise(code, first.severity, [...texts.slice(0, mostSentences), ...more].join(" "));
    }
  };
}
