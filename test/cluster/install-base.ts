/** aerial's own account on a test cluster: what daemonset/base gives it, and what that refuses it. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, messageOf } from "./api-client.ts";
import type { Cluster } from "./cluster.ts";
import { eventsIn, ownEvent } from "./event-object.ts";

/** The kustomize base that we ship. */
export const basePath = join(import.meta.dirname, "../../daemonset/base");

/** The service account of the base. */
export const aerialAccount = { namespace: "aerial", name: "aerial" } as const;

/** Its user name, as in audit logs. */
export const aerialUser = "system:serviceaccount:aerial:aerial";

const policyDeadlineMs = 20_000;

interface Additions {
  /** Folders of daemonset/components. */
  readonly components?: readonly string[];
  /** Label keys outside aerial's prefix that the own-node policy is to allow, as an overlay would say. */
  readonly aliases?: readonly string[];
}

/**
 * Applies daemonset/base and waits until its admission policies are in force, which the API server takes up a moment later.
 * From then on aerial's account is held to its own node: ask for tokens with `node`.
 */
export async function installBase(cluster: Cluster, additions: Additions = {}): Promise<void> {
  await cluster.kubectl(["apply", "-k", await writeOverlay(cluster, additions)]);
  const visitor = cluster.clientFor(await cluster.serviceAccountToken(aerialAccount));
  await untilNodesAreHeld(cluster, visitor);
  await untilEventsAndLeasesAreHeld(visitor);
  if (additions.components?.includes("follow") === true) await untilPodsAreHeld(cluster, visitor);
}

/** As people use it: a folder of their own beside ours. */
async function writeOverlay(cluster: Cluster, { components = [], aliases = [] }: Additions): Promise<string> {
  const overlay = join(cluster.directory, `overlay-${components.join("-")}`);
  await mkdir(overlay, { recursive: true });
  const from = (path: string): string => relative(overlay, join(basePath, path));
  const listed = { op: "replace", path: "/spec/variables/1/expression", value: JSON.stringify(aliases) };
  const kustomization = {
    resources: [from(".")],
    components: components.map((name) => from(`../components/${name}`)),
    patches: [{ target: { kind: "ValidatingAdmissionPolicy", name: "aerial-own-node" }, patch: JSON.stringify([listed]) }],
  };
  await writeFile(join(overlay, "kustomization.yaml"), JSON.stringify(kustomization));
  return overlay;
}

async function untilNodesAreHeld(cluster: Cluster, visitor: ApiClient): Promise<void> {
  const node = "aerial-policy-check";
  await cluster.createNode(node);
  const change = { apiVersion: "v1", kind: "Node", metadata: { name: node, labels: { check: "true" } } };
  await untilUnnamedIsRefused(() => visitor.apply(`/api/v1/nodes/${node}`, change, "aerial-policy-check"));
  await cluster.api.fetch(`/api/v1/nodes/${node}`, { method: "DELETE" });
}

async function untilEventsAndLeasesAreHeld(visitor: ApiClient): Promise<void> {
  const lease = { metadata: { name: "aerial-relay-policy-check" } };
  const create = (collection: string, body: object) => visitor.request(`${collection}?dryRun=All`, { method: "POST", body });
  await untilUnnamedIsRefused(() => create(eventsIn("default"), ownEvent()));
  await untilUnnamedIsRefused(() => create("/apis/coordination.k8s.io/v1/namespaces/aerial/leases", lease));
}

async function untilPodsAreHeld(cluster: Cluster, visitor: ApiClient): Promise<void> {
  const name = "aerial-policy-check";
  const pods = "/api/v1/namespaces/aerial/pods";
  const spec = { serviceAccountName: aerialAccount.name, containers: [{ name: "none", image: "none" }] };
  await cluster.api.fetch(pods, { method: "POST", body: { apiVersion: "v1", kind: "Pod", metadata: { name }, spec } });
  await untilUnnamedIsRefused(() => visitor.request(`${pods}/${name}?dryRun=All`, { method: "DELETE" }));
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name } };
  await untilUnnamedIsRefused(() => visitor.request(`${pods}/${name}/eviction?dryRun=All`, { method: "POST", body: eviction }));
  await cluster.api.fetch(`${pods}/${name}`, { method: "DELETE" });
}

/** Until a policy says that the token of no pod names no node. */
async function untilUnnamedIsRefused(attempt: () => Promise<{ readonly status: number; readonly body: unknown }>): Promise<void> {
  const deadline = Date.now() + policyDeadlineMs;
  for (;;) {
    const { status, body } = await attempt();
    if (status === 403 && messageOf(body).includes("names no node")) return;
    if (Date.now() > deadline) throw new Error(`an admission policy of ${basePath} is not in force: ${status} ${messageOf(body)}`);
    await sleep(50);
  }
}
