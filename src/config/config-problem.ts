/** What is wrong with a configuration, in words a person can act on. */
import { AerialError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { formatOrigin, type Origin } from "./raw-config.ts";

/** More would scroll the first, and likely cause, off the screen. */
const shownProblems = 10;

export interface ConfigProblem {
  readonly origin: Origin;
  readonly text: string;
}

/** One `config.invalid` error for all problems: a line each in the order of the file, at most ten. */
export function configError(problems: readonly ConfigProblem[]): AerialError {
  const sorted = problems.toSorted(
    (a, b) => (a.origin.line ?? Infinity) - (b.origin.line ?? Infinity) || (a.origin.column ?? 0) - (b.origin.column ?? 0) || 0,
  );
  const shown = sorted.slice(0, shownProblems);
  const lines = shown.map(({ origin, text }) => `${printable(formatOrigin(origin))}: ${text}`);
  if (sorted.length > shown.length) lines.push(`and ${sorted.length - shown.length} more`);
  return new AerialError("config.invalid", lines.join("\n"), {
    details: { problems: shown },
  });
}

/** A value as shown in a message: quoted, printable, at most 60 characters. */
export function quoted(text: string): string {
  const safe = printable(text);
  return `"${safe.length > 60 ? `${safe.slice(0, 59)}…` : safe}"`;
}
