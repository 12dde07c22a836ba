/** Watching our own Node, so that edits by others are seen at once and without polling. */
import { createBackoff } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { describeError, isAerialError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import type { Kube } from "../../kube/kube.ts";
import type { WatchEvent } from "../../kube/watch.ts";
import { type NodeView, toNodeView } from "./node-view.ts";
import { readNode } from "./own-node.ts";

export interface WatchNodeDependencies {
  readonly kube: Pick<Kube, "get" | "apply" | "watch">;
  /** The Node's name in the cluster. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly conditions: Conditions;
  /** Told of the Node as it is now, or of its absence. */
  readonly seen: (view: NodeView | undefined) => void;
}

/** A stream that lasted this long is taken up again at once; else this is the least pause. */
const leastPauseMs = 10_000;
const mostPauseMs = 60_000;

const conditionCode = "output.labels.unwatched";

/** Follows the Node until aborted. Where it cannot be watched it is read instead, at most every ten seconds. */
export async function watchNode(dependencies: WatchNodeDependencies, signal: AbortSignal): Promise<void> {
  const { clock, log, conditions, node } = dependencies;
  const backoff = createBackoff(2 * leastPauseMs, mostPauseMs);
  const lasted = (openedAt: number): boolean => clock.now() - openedAt >= leastPauseMs;
  let position: string | undefined;
  while (!signal.aborted) {
    const openedAt = clock.now();
    const resumed = position !== undefined;
    try {
      position ??= await look(dependencies, signal);
      const events = await watchFrom(dependencies, position, signal);
      backoff.reset();
      conditions.clear(conditionCode);
      // The server ends each stream after some minutes: that is no failure.
      for await (const event of events) position = follow(dependencies, event) ?? position;
    } catch (error) {
      if (signal.aborted) return;
      if (!isAerialError(error)) throw error;
      log.debug({ err: describeError(error), node }, "node watch broke off");
      // While the server is away history goes on. Anything else may be about the very version asked for.
      if (error.code !== "kube.unreachable") position = undefined;
      if (lasted(openedAt) || (resumed && position === undefined)) continue;
      const text = `edits of this node's labels by others are noticed late: ${describeError(error)}; ${error.hint}`;
      conditions.raise(conditionCode, "warning", text);
    }
    if (!lasted(openedAt)) await clock.sleep(backoff.next(), signal).catch(() => {});
  }
}

/** The Node as it is; gives the version to watch from. */
async function look({ kube, node, seen }: WatchNodeDependencies, signal: AbortSignal): Promise<string> {
  const view = await readNode({ kube, node }, signal);
  seen(view);
  return view.resourceVersion;
}

function watchFrom({ kube, node }: WatchNodeDependencies, resourceVersion: string, signal: AbortSignal): ReturnType<Kube["watch"]> {
  return kube.watch("/api/v1/nodes", { fieldSelector: `metadata.name=${node}`, resourceVersion }, signal);
}

/** Tells what an event shows; gives the version it has got to. */
function follow({ node, seen }: WatchNodeDependencies, { type, object }: WatchEvent): string | undefined {
  if (type === "BOOKMARK") return bookmarkVersion(object);
  const view = toNodeView(object, node);
  seen(type === "DELETED" ? undefined : view);
  return view.resourceVersion;
}

function bookmarkVersion({ metadata }: KubeObject): string | undefined {
  if (typeof metadata !== "object" || metadata === null || !("resourceVersion" in metadata)) return undefined;
  return typeof metadata.resourceVersion === "string" ? metadata.resourceVersion : undefined;
}
