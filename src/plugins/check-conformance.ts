/** What checks of plugins must keep to: they do not throw, ask for no more than they said, and never take what cannot be read for an answer. */
import type { Check, Facts, Reading } from "../core/check.ts";
import { describeError } from "../core/errors.ts";
import { fitsPathGlob } from "../core/path-glob.ts";
import { isAbsent, isUnreadable } from "../core/reading.ts";
import type { RadioPlugin } from "../sdk/plugin.ts";
import { checkAnswer } from "./check-schema.ts";

/** Everything wrong with a plugin's checks; empty when nothing is. Never throws. */
export function checkProblems({ checks = [] }: RadioPlugin): readonly string[] {
  return checks.flatMap((check) => [...new Set([...judged(check, isAbsent), ...judged(check, isUnreadable("a test hides everything"))])]);
}

function judged(check: Check, nothing: Reading<never>): readonly string[] {
  const problems: string[] = [];
  const asked = (path: string): Reading<never> => {
    if (!check.reads.some((glob) => glob === path || fitsPathGlob(glob, path)))
      problems.push(`checks: ${check.id} asks for ${path}, which its reads do not name`);
    return nothing;
  };
  const hidden = nothing.state === "unreadable";
  try {
    const answer = check.judge(emptyFacts(nothing, asked));
    const checked = checkAnswer.safeParse(answer);
    if (!checked.success) problems.push(`checks: ${check.id} answers what is no answer: ${checked.error.issues[0]?.message ?? ""}`);
    else if (hidden && typeof checked.data !== "string" && checked.data.some(({ verdict }) => verdict !== "unknown"))
      problems.push(`checks: ${check.id} knows an answer where nothing can be read: it must say "unknown"`);
  } catch (error) {
    problems.push(
      `checks: ${check.id} throws where ${hidden ? "nothing can be read" : "there is nothing"}: ${describeError(error).slice(0, 200)}`,
    );
  }
  return problems;
}

/** A machine of which nothing is known. */
function emptyFacts(nothing: Reading<never>, asked: (path: string) => Reading<never>): Facts {
  const hidden = nothing.state === "unreadable" ? nothing.why : undefined;
  return {
    at: "2000-01-01T00:00:00.000Z",
    node: "n1",
    machine: "x86_64",
    kernel: "6.1.0",
    os: { id: "linux", name: "Linux" },
    file: asked,
    link: asked,
    paths(glob) {
      asked(glob);
      return [];
    },
    unlisted: () => hidden,
    deviceNode: () => nothing,
    deviceNodes: [],
    moduleFor: () => nothing,
    isBuiltIn: () => false,
    kernelOption: () => nothing,
    kernelLog: nothing,
    processes: nothing,
    bluez: nothing,
    radios: [],
    others: [],
    services: [],
    conditions: new Set(),
  };
}
