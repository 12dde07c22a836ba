/** Whether an expression stays quick on hostile strings: a device's maker chooses the strings, and a scan must not wait. */

/** As long as a device's name gets. */
const longest = 255;
/** Far above what a linear or quadratic search of 255 characters takes, far below what backtracking takes. */
const limitMs = 20;

export interface SlowInput {
  readonly length: number;
  readonly milliseconds: number;
}

/** The first input that takes too long; undefined when none does. Inputs grow, so that even 2ⁿ ends soon after it shows. */
export function slowestInput(expression: RegExp): SlowInput | undefined {
  const plain = new RegExp(expression.source, expression.flags.replaceAll(/[gy]/g, ""));
  for (let length = 12; length <= longest; length = Math.min(length + 6, length === longest ? longest + 1 : longest)) {
    for (const pattern of patternsOf(expression)) {
      const milliseconds = quickestRun(plain, `${pattern.repeat(longest).slice(0, length - 1)}\u0001`);
      if (milliseconds > limitMs) return { length, milliseconds };
    }
  }
  return undefined;
}

/** What the expression itself speaks of, repeated, so that it nearly matches again and again. */
function patternsOf(expression: RegExp): readonly string[] {
  const words = expression.source.match(/[a-z0-9]{2,}/gi) ?? [];
  const letters = new Set(expression.source.replaceAll(/[^a-z0-9]/gi, "").toLowerCase());
  return [...new Set(["a", "0", " ", "a ", "-", ".", ...letters, ...words, ...words.map((word) => `${word} `)])].slice(0, 60);
}

/** The best of three, so that a busy machine is not taken for a slow expression. */
function quickestRun(expression: RegExp, text: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3 && best > limitMs; run += 1) {
    const start = performance.now();
    expression.test(text);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
