/** Watching our own Node, so that edits by others are seen at once and without polling. */
import { type FollowedCollection, followCollection } from "../../kube/follow-collection.ts";
import type { Kube } from "../../kube/kube.ts";
import { type NodeView, toNodeView } from "./node-view.ts";
import { readNode } from "./own-node.ts";

export interface WatchNodeDependencies extends Pick<FollowedCollection, "clock" | "log" | "conditions"> {
  readonly kube: Pick<Kube, "get" | "apply" | "watch">;
  /** The Node's name in the cluster. */
  readonly node: string;
  /** Told of the Node as it is now, or of its absence. */
  readonly seen: (view: NodeView | undefined) => void;
}

/** Follows the Node until aborted. Where it cannot be watched it is read instead, at most every ten seconds. */
export async function watchNode(dependencies: WatchNodeDependencies, signal: AbortSignal): Promise<void> {
  const { kube, node, seen } = dependencies;
  await followCollection(
    {
      ...dependencies,
      path: "/api/v1/nodes",
      fieldSelector: `metadata.name=${node}`,
      leastPauseMs: 10_000,
      condition: { code: "output.labels.unwatched", consequence: "edits of this node's labels by others are noticed late" },
      async look(stop) {
        const view = await readNode({ kube, node }, stop);
        seen(view);
        return view.resourceVersion;
      },
      changed(type, object) {
        const view = toNodeView(object, node);
        seen(type === "DELETED" ? undefined : view);
        return view.resourceVersion;
      },
    },
    signal,
  );
}
