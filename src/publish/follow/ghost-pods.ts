/**
 * Pods that the kubelet did not admit for want of a radio, as after a reboot that was quicker than the radio: they have
 * failed for good, and nobody takes them away (kubernetes#121061). Pure.
 */
import type { FollowPod } from "./parse-pod.ts";

/** Whether the pod is such a ghost, of this node. `prefix` is what comes before the slash in our resources. */
export function isGhost({ node, phase, reason = "", resources, isMirror, isDeleting }: FollowPod, own: GhostRules): boolean {
  if (node !== own.node || phase !== "Failed" || isMirror || isDeleting) return false;
  const ours = `${own.prefix}/`;
  // OutOf…: what the kubelet says when the resource is known, but none of it is free.
  const isUnadmitted = reason === "UnexpectedAdmissionError" || reason.startsWith(`OutOf${ours}`);
  return isUnadmitted && resources.some((name) => name.startsWith(ours));
}

export interface GhostRules {
  /** This node's name. */
  readonly node: string;
  readonly prefix: string;
}

/** Whether `other` was started in the place of `ghost`: by the same controller, or by the next one of the same Deployment. */
export function isReplacement(other: FollowPod, ghost: FollowPod): boolean {
  if (other.uid === ghost.uid || other.namespace !== ghost.namespace || other.isDeleting) return false;
  if (other.phase !== "Running" && other.phase !== "Pending") return false;
  if (other.createdAt < ghost.createdAt || other.controller === undefined || ghost.controller === undefined) return false;
  if (other.controller.uid === ghost.controller.uid) return true;
  const deployment = deploymentOf(ghost);
  return deployment !== undefined && deploymentOf(other) === deployment;
}

/** A ReplicaSet is named `<Deployment>-<hash>`, and says the hash in a label of its pods (deployment_util.go). */
function deploymentOf({ controller, templateHash }: FollowPod): string | undefined {
  const ending = `-${templateHash ?? ""}`;
  if (controller?.kind !== "ReplicaSet" || templateHash === undefined || !controller.name.endsWith(ending)) return undefined;
  return controller.name.slice(0, -ending.length);
}
