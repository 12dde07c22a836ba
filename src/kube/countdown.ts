/** A time limit that is set anew with each sign of life. It sleeps, and so is not misled when the time of day jumps. */
import type { Clock } from "../core/clock.ts";
import { AerialError } from "../core/errors.ts";
import { type LinkedSignal, linkSignal } from "../core/linked-signal.ts";

export interface Countdown extends Disposable {
  /** Ends in so many milliseconds from now, whatever was set before. */
  set(milliseconds: number): void;
}

/** `ended` is called when a limit passes; not when it was set anew, nor once the signal has aborted. */
export function openCountdown({ clock, ended }: { readonly clock: Clock; readonly ended: () => void }, signal: AbortSignal): Countdown {
  let timer: LinkedSignal | undefined;
  const stop = (): void => {
    timer?.abort(new AerialError("internal.abort", "the countdown was set anew"));
    timer?.[Symbol.dispose]();
    timer = undefined;
  };
  const wait = async (milliseconds: number, own: AbortSignal): Promise<void> => {
    await clock.sleep(milliseconds, own);
    if (!own.aborted) ended();
  };
  return {
    set(milliseconds) {
      stop();
      timer = linkSignal(signal);
      wait(milliseconds, timer.signal).catch(() => {});
    },
    [Symbol.dispose]: stop,
  };
}
