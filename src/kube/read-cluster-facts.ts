/** What the API server says of this node and of aerial's own rights, for the doctor. */
import { z } from "zod";
import type { AccessFact, ClusterFacts, PodFacts, Reading } from "../core/check.ts";
import { AerialError, describeError, hasCode } from "../core/errors.ts";
import type { Kube } from "./kube.ts";
import { readPodPage } from "./read-pods.ts";

/** One right, as `spec.resourceAttributes` of a SelfSubjectAccessReview names it. */
export interface AccessQuestion {
  readonly verb: string;
  readonly resource: string;
  readonly group?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface ClusterFactsDependencies {
  readonly kube: Pick<Kube, "get" | "list" | "create">;
  readonly node: string;
  /** Of aerial's own pod; undefined outside a pod. */
  readonly namespace: string | undefined;
  readonly labelPrefix: string;
  readonly labelGraceMs: number;
  /** What aerial has to be allowed to do what it is configured to. */
  readonly needs: readonly AccessQuestion[];
}

/** A kubelet takes 110 pods unless told otherwise; nobody is known to run more than some hundreds. */
const mostPods = 1_000;
const pageSize = 100;

/** Asks everything at once. Never rejects but with the signal's reason: what cannot be read says so. */
export async function readClusterFacts(dependencies: ClusterFactsDependencies, signal: AbortSignal): Promise<ClusterFacts> {
  const { kube, node, namespace, labelPrefix, labelGraceMs } = dependencies;
  const [ownNode, pods, namespaceLabels, access] = await Promise.all([
    reading(() => kube.get(`/api/v1/nodes/${encodeURIComponent(node)}`, signal)),
    reading(() => readPods(dependencies, signal)),
    namespace === undefined
      ? ({ state: "absent" } as const)
      : reading(async () => labelsOf(await kube.get(`/api/v1/namespaces/${encodeURIComponent(namespace)}`, signal))),
    reading(() => readAccess(dependencies, signal)),
  ]);
  signal.throwIfAborted();
  return {
    labelPrefix,
    labelGraceMs,
    pods,
    nodeLabels: map(ownNode, labelsOf),
    osImage: map(ownNode, (object) => nodeInfo.parse(object).status.nodeInfo.osImage),
    capacity: map(ownNode, (object) => nodeCapacity.parse(object).status.capacity),
    namespaceLabels,
    access,
  };
}

const labelled = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).optional() }) });
const nodeInfo = z.object({ status: z.object({ nodeInfo: z.object({ osImage: z.string() }) }) });
const nodeCapacity = z.object({ status: z.object({ capacity: z.record(z.string(), z.string()).default({}) }) });
const review = z.object({ status: z.object({ allowed: z.boolean() }) });

function labelsOf(object: unknown): Readonly<Record<string, string>> {
  return labelled.parse(object).metadata.labels ?? {};
}

async function readPods({ kube, node }: ClusterFactsDependencies, signal: AbortSignal): Promise<readonly PodFacts[]> {
  const pods: PodFacts[] = [];
  let next: string | undefined;
  do {
    const query = { fieldSelector: `spec.nodeName=${node}`, limit: String(pageSize), ...(next !== undefined && { continue: next }) };
    const page = readPodPage(await kube.list("/api/v1/pods", query, signal));
    if (page === undefined) throw new AerialError("kube.protocol", "the answer to GET /api/v1/pods is no list");
    pods.push(...page.pods);
    next = page.next === "" ? undefined : page.next;
  } while (next !== undefined && pods.length < mostPods);
  return pods;
}

function readAccess({ kube, needs }: ClusterFactsDependencies, signal: AbortSignal): Promise<readonly AccessFact[]> {
  return Promise.all(
    needs.map(async (resourceAttributes) => {
      const object = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
      const answer = await kube.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", object, signal);
      const { verb, resource, group, namespace } = resourceAttributes;
      const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
      return { what: `${verb} ${resource}${group === undefined ? "" : `.${group}`}${where}`, allowed: review.parse(answer).status.allowed };
    }),
  );
}

async function reading<Value>(read: () => Promise<Value>): Promise<Reading<Value>> {
  try {
    return { state: "read", value: await read() };
  } catch (error) {
    return hasCode(error, "kube.not-found") ? { state: "absent" } : { state: "unreadable", why: describe(error) };
  }
}

function map<From, To>(from: Reading<From>, change: (value: From) => To): Reading<To> {
  if (from.state !== "read") return from;
  try {
    return { state: "read", value: change(from.value) };
  } catch (error) {
    return { state: "unreadable", why: describe(error) };
  }
}

function describe(error: unknown): string {
  return error instanceof z.ZodError ? "the API server's answer has not the shape it should have" : describeError(error);
}
