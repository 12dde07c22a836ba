/** Our own Node on the API server: read it, write our part of it, take our part back. */
import { hasCode } from "../../core/errors.ts";
import type { Kube } from "../../kube/kube.ts";
import type { Metadata } from "./labels-for.ts";
import { type NodeView, fieldManager, toNodeView } from "./node-view.ts";

export interface NodeAccess {
  readonly kube: Pick<Kube, "get" | "apply">;
  /** The Node's name in the cluster. */
  readonly node: string;
}

/** Throws `kube.*`; `kube.not-found` when the cluster has no such node. */
export async function readNode(
  { kube, node }: { readonly kube: Pick<Kube, "get">; readonly node: string },
  signal: AbortSignal,
): Promise<NodeView> {
  return toNodeView(await kube.get(nodePath(node), signal), node);
}

/**
 * Makes `metadata` the whole of what is ours; other people's labels stay. The uid is sent along so that a Node which is
 * gone or was made anew since it was read is not brought into being by us: the server answers `kube.conflict`.
 */
export async function applyToNode(
  { kube, node, uid, metadata }: NodeAccess & { readonly uid: string; readonly metadata: Metadata },
  signal: AbortSignal,
): Promise<NodeView> {
  // An empty map would be ours too, and our name would stay on the Node for ever.
  const filled = Object.fromEntries(Object.entries(metadata).filter(([, entries]) => Object.keys(entries).length > 0));
  const object = { apiVersion: "v1", kind: "Node", metadata: { name: node, uid, ...filled } };
  return toNodeView(await kube.apply({ path: nodePath(node), object, fieldManager, force: true }, signal), node);
}

/**
 * Takes back every label and annotation aerial has set on the Node and gives their keys, sorted; none when there was
 * nothing, or no such node. What others own too stays theirs. Throws `kube.*`.
 */
export async function withdrawLabels(access: NodeAccess, signal: AbortSignal): Promise<readonly string[]> {
  let view: NodeView;
  try {
    view = await readNode(access, signal);
  } catch (error) {
    if (hasCode(error, "kube.not-found")) return [];
    throw error;
  }
  const keys = [...Object.keys(view.own.labels), ...Object.keys(view.own.annotations)].sort();
  if (keys.length > 0) await applyToNode({ ...access, uid: view.uid, metadata: { labels: {}, annotations: {} } }, signal);
  return keys;
}

function nodePath(name: string): string {
  return `/api/v1/nodes/${encodeURIComponent(name)}`;
}
