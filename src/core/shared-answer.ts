/** One answer for all who ask at about the same time. */
import type { Clock } from "./clock.ts";

interface SharedAnswerOptions<T> {
  readonly clock: Clock;
  /** How long an answer is given again. */
  readonly keptMs: number;
  readonly ask: (signal: AbortSignal) => Promise<T>;
}

/** Gives what `ask` gives, asked once for all who wait and at most every `keptMs`. What rejects is asked again by the next. */
export function shareAnswer<T>({ clock, keptMs, ask }: SharedAnswerOptions<T>): (signal: AbortSignal) => Promise<T> {
  let kept: { readonly answer: T; readonly at: number } | undefined;
  let asking: Promise<T> | undefined;
  return (signal) => {
    if (kept !== undefined && Math.abs(clock.now() - kept.at) < keptMs) return Promise.resolve(kept.answer);
    asking ??= ask(signal)
      .then((answer) => {
        kept = { answer, at: clock.now() };
        return answer;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
}
