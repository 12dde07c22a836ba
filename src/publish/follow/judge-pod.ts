/** Whether a pod may be moved because its radio has. Pure. */
import type { RadioAssignment } from "../../core/handover.ts";
import type { FollowPod } from "./parse-pod.ts";

export interface FollowRules {
  /** This node's name. */
  readonly node: string;
  /** What comes before the slash in our resources and annotations. */
  readonly prefix: string;
  /** Which pods: those that have the annotation, or all but those that decline by it. */
  readonly evict: "annotated" | "all";
}

/**
 * `follow`: it may be evicted. `stay`: it stays, and nobody need be told. `lost`: it would follow, but nobody would start
 * it again.
 */
export type PodJudgement = "follow" | "stay" | "lost";

/** Of a pod that radios of this node are assigned to by `holders`. */
export function judgePod(pod: FollowPod, holders: readonly RadioAssignment[], rules: FollowRules): PodJudgement {
  const { node, evict } = rules;
  if (pod.node !== node || pod.isDeleting || pod.isMirror) return "stay";
  if (pod.phase !== "Running" && pod.phase !== "Pending") return "stay";
  if (!holders.some((holder) => asksFor(pod, holder, rules))) return "stay";
  // A DaemonSet would start it again here.
  if (pod.controller?.kind === "DaemonSet") return "stay";
  if (pod.follow === "true") return "follow";
  if (evict === "annotated" || pod.follow === "false") return "stay";
  return pod.controller === undefined ? "lost" : "follow";
}

/** Whether its spec asks for what it was given. */
function asksFor({ resources, claims }: FollowPod, { way, request }: RadioAssignment, { prefix }: FollowRules): boolean {
  if (way === "resource-claim") return claims.includes(request);
  return request.startsWith(`${prefix}/`) && resources.includes(request);
}
