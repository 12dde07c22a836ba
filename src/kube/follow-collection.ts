/** Following objects of the API server, so that changes by others are seen at once and without polling. */
import { createBackoff } from "../core/backoff.ts";
import type { Clock } from "../core/clock.ts";
import type { Conditions } from "../core/condition.ts";
import { describeError, isAerialError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { KubeObject } from "./exchange.ts";
import type { Kube } from "./kube.ts";
import type { WatchEvent } from "./watch.ts";

export interface FollowedCollection {
  readonly kube: Pick<Kube, "watch">;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  /** `/api/v1/nodes`. */
  readonly path: string;
  /** Which of its objects. */
  readonly fieldSelector: string;
  /** Reads and tells what is there now; gives the version to watch from. */
  readonly look: (signal: AbortSignal) => Promise<string>;
  /** Told of each change since; gives the version it has got to. */
  readonly changed: (type: Exclude<WatchEvent["type"], "BOOKMARK">, object: KubeObject) => string | undefined;
  /** A stream that lasted this long is taken up again at once; else this is the least pause. */
  readonly leastPauseMs: number;
  /** Raised while the objects cannot be watched. */
  readonly condition: { readonly code: string; readonly consequence: string };
}

const mostPauseMs = 60_000;

/** Follows until aborted. Where the objects cannot be watched they are read instead, now and then. */
export async function followCollection(followed: FollowedCollection, signal: AbortSignal): Promise<void> {
  const { kube, clock, log, conditions, path, fieldSelector, look, leastPauseMs, condition } = followed;
  const backoff = createBackoff(2 * leastPauseMs, mostPauseMs);
  const lasted = (openedAt: number): boolean => clock.now() - openedAt >= leastPauseMs;
  let position: string | undefined;
  while (!signal.aborted) {
    const openedAt = clock.now();
    const resumed = position !== undefined;
    try {
      position ??= await look(signal);
      const events = await kube.watch(path, { fieldSelector, resourceVersion: position }, signal);
      backoff.reset();
      conditions.clear(condition.code);
      // The server ends each stream after some minutes: that is no failure.
      for await (const event of events) position = versionAfter(followed, event) ?? position;
    } catch (error) {
      if (signal.aborted) return;
      if (!isAerialError(error)) throw error;
      log.debug({ err: describeError(error), path, fieldSelector }, "watch broke off");
      // While the server is away history goes on. Anything else may be about the very version asked for.
      if (error.code !== "kube.unreachable") position = undefined;
      if (lasted(openedAt) || (resumed && position === undefined)) continue;
      conditions.raise(condition.code, "warning", `${condition.consequence}: ${describeError(error)}; ${error.hint}`);
    }
    if (!lasted(openedAt)) await clock.sleep(backoff.next(), signal).catch(() => {});
  }
}

function versionAfter({ changed }: FollowedCollection, { type, object }: WatchEvent): string | undefined {
  if (type !== "BOOKMARK") return changed(type, object);
  const version = (object["metadata"] as { readonly resourceVersion?: unknown } | undefined)?.resourceVersion;
  return typeof version === "string" ? version : undefined;
}
