/** Time limits for what the API server is asked. */
import type { Clock } from "../core/clock.ts";
import { AerialError } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { Asked } from "./refusal.ts";

export interface Deadline extends Disposable {
  /** Aborts with `kube.unreachable` when the time is up. */
  readonly signal: AbortSignal;
  /** Gives it this much time from now on. */
  extend(milliseconds: number): void;
}

/** The signal of one request: aborted with `outer`, or with `kube.unreachable` once `milliseconds` have passed. */
export function openDeadline(
  { clock, milliseconds, asked }: { readonly clock: Clock; readonly milliseconds: number; readonly asked: Asked },
  outer: AbortSignal,
): Deadline {
  const request = linkSignal(outer);
  let timer = linkSignal(request.signal);
  const arm = (limitMs: number): void => {
    timer = linkSignal(request.signal);
    clock.sleep(limitMs, timer.signal).then(
      () => request.abort(new AerialError("kube.unreachable", `${asked.method} ${asked.path} was not answered within ${limitMs} ms`)),
      () => {},
    );
  };
  const disarm = (): void => {
    timer.abort(new AerialError("internal.abort", "the request is over"));
    timer[Symbol.dispose]();
  };
  arm(milliseconds);
  return {
    signal: request.signal,
    extend(limitMs) {
      disarm();
      arm(limitMs);
    },
    [Symbol.dispose]() {
      disarm();
      request[Symbol.dispose]();
    },
  };
}

/** Waits for `work`, which cannot be stopped itself, no longer than until the signal aborts. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
