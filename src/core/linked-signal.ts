/** A signal with two ends: it follows its parent and can be aborted alone. */

export interface LinkedSignal extends Disposable {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
}

/**
 * Aborts with `parent`, with the parent's reason, or when told to. Disposing lets go of the parent, which may live as
 * long as the process: unlike `AbortSignal.any` nothing is left behind on it.
 */
export function linkSignal(parent: AbortSignal): LinkedSignal {
  const controller = new AbortController();
  const follow = (): void => controller.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]: () => parent.removeEventListener("abort", follow),
  };
}
