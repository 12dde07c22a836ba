/** Watching this node's ResourceSlices: the kubelet removes them as it starts, and they have to be back before anybody notices. */
import { createBackoff } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { describeError, isAerialError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import type { Kube } from "../../kube/kube.ts";
import type { WatchEvent } from "../../kube/watch.ts";
import { type SlicesAccess, type SlicesOutput, readSlices, slicesSelector } from "./slices-output.ts";
import { slicesPath, toSliceView } from "./slice-view.ts";

export interface WatchSlicesDependencies extends SlicesAccess {
  readonly kube: Pick<Kube, "list" | "watch">;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  readonly output: Pick<SlicesOutput, "listed" | "changed" | "removed">;
}

/** A stream that lasted this long is taken up again at once; else this is the least pause. */
const leastPauseMs = 5_000;
const mostPauseMs = 60_000;

const conditionCode = "output.resource-slices.unwatched";

/** Follows them until aborted; where they cannot be watched they are read anew now and then. */
export async function watchSlices(dependencies: WatchSlicesDependencies, signal: AbortSignal): Promise<void> {
  const { kube, clock, log, conditions, output } = dependencies;
  const backoff = createBackoff(2 * leastPauseMs, mostPauseMs);
  const lasted = (openedAt: number): boolean => clock.now() - openedAt >= leastPauseMs;
  let position: string | undefined;
  while (!signal.aborted) {
    const openedAt = clock.now();
    const resumed = position !== undefined;
    try {
      if (position === undefined) {
        const { slices, version } = await readSlices(dependencies, signal);
        output.listed(slices);
        position = version;
      }
      const query = { fieldSelector: slicesSelector(dependencies), resourceVersion: position };
      const events = await kube.watch(slicesPath, query, signal);
      backoff.reset();
      conditions.clear(conditionCode);
      // The server ends each stream after some minutes: that is no failure.
      for await (const event of events) position = follow(output, event) ?? position;
    } catch (error) {
      if (signal.aborted) return;
      if (!isAerialError(error)) throw error;
      log.debug({ err: describeError(error) }, "watch of resource slices broke off");
      // While the server is away history goes on. Anything else may be about the very version asked for.
      if (error.code !== "kube.unreachable") position = undefined;
      if (lasted(openedAt) || (resumed && position === undefined)) continue;
      const text = `ResourceSlices that the kubelet removes are back late: ${describeError(error)}; ${error.hint}`;
      conditions.raise(conditionCode, "warning", text);
    }
    if (!lasted(openedAt)) await clock.sleep(backoff.next(), signal).catch(() => {});
  }
}

/** Tells what an event shows; gives the version it has got to. */
function follow(output: WatchSlicesDependencies["output"], { type, object }: WatchEvent): string | undefined {
  if (type === "BOOKMARK") return versionOf(object);
  const view = toSliceView(object);
  if (type === "DELETED") output.removed(view);
  else output.changed(view);
  return view.resourceVersion;
}

function versionOf({ metadata }: KubeObject): string | undefined {
  const version = (metadata as { readonly resourceVersion?: unknown } | undefined)?.resourceVersion;
  return typeof version === "string" ? version : undefined;
}
