/** aerial's own account on a test cluster: what daemonset/base gives it, and what that refuses it. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "./api-client.ts";
import type { Cluster } from "./cluster.ts";

/** The kustomize base that we ship. */
export const basePath = join(import.meta.dirname, "../../daemonset/base");

/** The service account of the base. */
export const aerialAccount = { namespace: "aerial", name: "aerial" } as const;

/** Its user name, as in audit logs. */
export const aerialUser = "system:serviceaccount:aerial:aerial";

const policyDeadlineMs = 20_000;

/**
 * Applies daemonset/base and waits until its admission policy is in force, which the API server takes up a moment later.
 * From then on aerial's account is held to its own node: ask for tokens with `node`.
 */
export async function installBase(cluster: Cluster): Promise<void> {
  await cluster.kubectl(["apply", "-k", basePath]);
  const node = "aerial-policy-check";
  await cluster.createNode(node);
  const visitor = cluster.clientFor(await cluster.serviceAccountToken(aerialAccount));
  const change = { apiVersion: "v1", kind: "Node", metadata: { name: node, labels: { check: "true" } } };
  const deadline = Date.now() + policyDeadlineMs;
  for (;;) {
    const { status, body } = await visitor.apply(`/api/v1/nodes/${node}`, change, "aerial-policy-check");
    if (status === 403 && messageOf(body).includes("names no node")) break;
    if (Date.now() > deadline) throw new Error(`the admission policy of ${basePath} is not in force: ${status} ${messageOf(body)}`);
    await sleep(50);
  }
  await cluster.api.fetch(`/api/v1/nodes/${node}`, { method: "DELETE" });
}
