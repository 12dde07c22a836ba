/** Watching our own Node, so that edits by others are seen at once and without polling. */
import { createBackoff } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Conditions } from "../../core/condition.ts";
import { type AerialError, describeError, isAerialError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { KubeObject } from "../../kube/exchange.ts";
import type { Kube } from "../../kube/kube.ts";
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
  let position: string | undefined;
  while (!signal.aborted) {
    const openedAt = clock.now();
    try {
      position ??= await look(dependencies, signal);
      // The server ends each stream after some minutes: that is no failure.
      for await (position of follow(dependencies, position, signal)) {
        backoff.reset();
        conditions.clear(conditionCode);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isAerialError(error)) throw error;
      // While the server is away history goes on; anything else may be about the very version asked for.
      if (error.code !== "kube.unreachable") position = undefined;
      log.debug({ err: describeError(error), node }, "node watch broke off");
      if (!isExpired(error)) {
        conditions.raise(
          conditionCode,
          "warning",
          `edits of this node's labels by others are noticed late: ${describeError(error)}; ${error.hint}`,
        );
      }
    }
    if (clock.now() - openedAt >= leastPauseMs) continue;
    await clock.sleep(backoff.next(), signal).catch(() => {});
  }
}

/** The Node as it is; gives the version to watch from. */
async function look({ kube, node, seen }: WatchNodeDependencies, signal: AbortSignal): Promise<string> {
  const view = await readNode({ kube, node }, signal);
  seen(view);
  return view.resourceVersion;
}

/** One stream. Yields each version it has got to. */
async function* follow({ kube, node, seen }: WatchNodeDependencies, resourceVersion: string, signal: AbortSignal): AsyncGenerator<string> {
  const query = { fieldSelector: `metadata.name=${node}`, resourceVersion };
  for await (const { type, object } of kube.watch("/api/v1/nodes", query, signal)) {
    if (type === "BOOKMARK") {
      yield bookmarkVersion(object) ?? resourceVersion;
      continue;
    }
    const view = toNodeView(object, node);
    seen(type === "DELETED" ? undefined : view);
    yield view.resourceVersion;
  }
}

function bookmarkVersion({ metadata }: KubeObject): string | undefined {
  if (typeof metadata !== "object" || metadata === null || !("resourceVersion" in metadata)) return undefined;
  return typeof metadata.resourceVersion === "string" ? metadata.resourceVersion : undefined;
}

/** The server has forgotten the version asked for, as it does with old ones (HTTP 410). */
function isExpired(error: AerialError): boolean {
  return error.details["status"] === 410;
}
