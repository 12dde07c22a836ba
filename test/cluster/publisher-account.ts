/** The account and rights with which publishers are tested: what they use, and nothing more. */
import { type Kube, openKube } from "../../src/kube/kube.ts";
import { systemClock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import type { Cluster } from "./cluster.ts";

export const publisherUser = "system:serviceaccount:default:publisher";

const rules = [
  { apiGroups: [""], resources: ["nodes"], verbs: ["get", "watch", "patch"] },
  { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"] },
];

/** Makes the accounts `publisher`, with the rights, and `nobody`, without any. */
export async function createPublisherAccounts({ api }: Cluster): Promise<void> {
  for (const name of ["publisher", "nobody"]) {
    await api.fetch("/api/v1/namespaces/default/serviceaccounts", { method: "POST", body: { metadata: { name } } });
  }
  const rbac = "rbac.authorization.k8s.io";
  await api.fetch(`/apis/${rbac}/v1/clusterroles`, { method: "POST", body: { metadata: { name: "publisher" }, rules } });
  await api.fetch(`/apis/${rbac}/v1/clusterrolebindings`, {
    method: "POST",
    body: {
      metadata: { name: "publisher" },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "publisher" },
      subjects: [{ kind: "ServiceAccount", name: "publisher", namespace: "default" }],
    },
  });
}

/** aerial's own client, speaking as one of the accounts. */
export async function openKubeAs(cluster: Cluster, name: "publisher" | "nobody"): Promise<Kube> {
  const kubeconfig = await cluster.serviceAccountKubeconfig({ namespace: "default", name });
  return openKube({ kubeconfig, clock: systemClock, log: silentLog }, new AbortController().signal);
}
