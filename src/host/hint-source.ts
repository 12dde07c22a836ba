/** Tells that something on the host may have changed, and nothing that could be wrong. */
export interface HintSource {
  /** Names the source in logs and conditions: `kernel-events`. */
  readonly name: string;
  /** Whether it tells of every coming and going, so that the timer is left to catch only what went wrong. */
  readonly hearsAll: boolean;
  /**
   * Calls `hint` until the signal aborts, then resolves. Rejects when it can no longer hear, or never could; the
   * caller may run it again. `listening` is called once it hears; what happened before then was not heard.
   */
  run(listener: HintListener, signal: AbortSignal): Promise<void>;
}

export interface HintListener {
  /** `deaf`: why what should be heard may stay unheard here. */
  listening(deaf?: string): void;
  hint(): void;
}

/** Resolves when the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
