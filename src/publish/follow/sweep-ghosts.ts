/** One look for ghost pods of this node; those that were replaced are deleted. */
import { AerialError, describeError, hasCode, isAerialError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Kube } from "../../kube/kube.ts";
import { podName, podPath } from "./evict-pod.ts";
import type { Finding } from "./findings.ts";
import { type GhostRules, isGhost, isReplacement } from "./ghost-pods.ts";
import { type FollowPod, parseFollowPodPage } from "./parse-pod.ts";

export interface SweepDependencies extends GhostRules {
  readonly kube: Pick<Kube, "list" | "remove">;
  readonly log: Log;
}

export interface Sweep {
  readonly findings: readonly Finding[];
  /** Ghosts that will be deleted as soon as they are replaced, or as there is room for them. */
  readonly waiting: number;
}

/** Pods with all that Kubernetes notes on them are some 10 to 40 KiB; such a page stays below what the client reads (4 MiB). */
const pageSize = 50;
/** Two thousand pods, of a node or of a namespace. What is beyond is looked at once these are gone. */
const mostPages = 40;

/** Throws `kube.*` where pods cannot be listed or deleted; that they may not be deleted is a finding. */
export async function sweepGhosts(dependencies: SweepDependencies, signal: AbortSignal): Promise<Sweep> {
  const { kube, log, node } = dependencies;
  const failed = await listPods(dependencies, { path: "/api/v1/pods", fieldSelector: `spec.nodeName=${node},status.phase=Failed` }, signal);
  const ghosts = failed.filter((pod) => isGhost(pod, dependencies));
  const owned = ghosts.filter(({ controller }) => controller !== undefined);
  const findings = ghosts.filter(({ controller }) => controller === undefined).map(bareFinding);
  const living = new Map<string, readonly FollowPod[]>();
  let waiting = 0;
  for (const ghost of owned) {
    const { namespace, name, uid } = ghost;
    if (!living.has(namespace)) living.set(namespace, await listLiving(dependencies, namespace, signal));
    if (living.get(namespace)?.some((other) => isReplacement(other, ghost)) !== true) {
      waiting += 1;
      continue;
    }
    try {
      await kube.remove(podPath(ghost), { uid }, signal);
      log.info({ namespace, pod: name }, "pod deleted: it was not admitted, and another runs in its place");
    } catch (error) {
      if (isAerialError(error) && error.code === "kube.forbidden") return { findings: [...findings, forbiddenFinding(error)], waiting: 0 };
      // Somebody else was quicker, or another pod has the name now.
      if (!hasCode(error, "kube.not-found") && !hasCode(error, "kube.conflict")) throw error;
    }
  }
  return { findings, waiting };
}

function listLiving(dependencies: SweepDependencies, namespace: string, signal: AbortSignal): Promise<readonly FollowPod[]> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  return listPods(dependencies, { path, fieldSelector: "status.phase!=Failed,status.phase!=Succeeded" }, signal);
}

interface Selection {
  readonly path: string;
  readonly fieldSelector: string;
}

async function listPods(
  { kube, prefix }: SweepDependencies,
  { path, fieldSelector }: Selection,
  signal: AbortSignal,
): Promise<readonly FollowPod[]> {
  const pods: FollowPod[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const query = { fieldSelector, limit: String(pageSize), ...(next !== undefined && { continue: next }) };
    const page = parseFollowPodPage(await kube.list(path, query, signal), prefix);
    if (page === undefined) throw new AerialError("kube.protocol", "the API server sent something that is no list of pods");
    pods.push(...page.pods);
    ({ next } = page);
    if (next === undefined) break;
  }
  return pods;
}

function forbiddenFinding(error: AerialError): Finding {
  const text = `Pods that a reboot left in UnexpectedAdmissionError stay there: ${describeError(error)}; apply daemonset/components/follow, or set follow.ghostPods to false.`;
  return { code: "ghosts.forbidden", severity: "warning", text };
}

function bareFinding(pod: FollowPod): Finding {
  const text = `${podName(pod)} was not admitted for want of a radio and nobody starts it again: delete it and create it anew, or make it a Deployment.`;
  return { code: "ghosts.bare", severity: "warning", text };
}
