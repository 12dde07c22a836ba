/** Lifetimes: what is opened in a scope is closed by it, last in first out. */
import { AerialError, describeError } from "./errors.ts";
import type { Log } from "./log.ts";

const closeDeadlineMs = 3_000;

/**
 * Owns resources and background loops. Closing goes backwards through them, gives each a deadline,
 * never stops at the first failure and ends in one AggregateError if any step failed.
 */
export class Scope implements AsyncDisposable {
  readonly #log: Log;
  readonly #steps: { readonly name: string; readonly close: () => unknown }[] = [];
  readonly #failed: (error: unknown, name: string) => void;
  #closed = false;

  /** `failed` is told when a spawned loop ends with an error although nobody stopped it. */
  constructor(log: Log, failed: (error: unknown, name: string) => void) {
    this.#log = log;
    this.#failed = failed;
  }

  /** Closes `resource` with the scope. */
  use<T extends Disposable | AsyncDisposable>(name: string, resource: T): T {
    this.defer(name, () => (Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose]()));
    return resource;
  }

  defer(name: string, close: () => unknown): void {
    this.#steps.push({ name, close });
  }

  /** Runs a loop until the scope closes; its signal is aborted when its turn to close comes. */
  spawn(name: string, run: (signal: AbortSignal) => Promise<void>): void {
    const controller = new AbortController();
    const done = run(controller.signal).catch((error: unknown) => {
      if (!controller.signal.aborted) this.#failed(error, name);
    });
    this.defer(name, () => {
      controller.abort(new AerialError("internal.abort", `${name} is stopping`));
      return done;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const errors: unknown[] = [];
    for (const step of this.#steps.toReversed()) {
      try {
        await withDeadline(step.name, step.close);
      } catch (error) {
        this.#log.error({ part: step.name, err: describeError(error) }, "part did not close");
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, "not everything closed cleanly");
  }
}

async function withDeadline(name: string, close: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new AerialError("internal.abort", `${name} did not close within ${closeDeadlineMs} ms`)),
      closeDeadlineMs,
    );
  });
  try {
    await Promise.race([Promise.resolve(close()), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
