/** Whether radios can be offered to resource claims here. */
import { hasCode } from "../../core/errors.ts";
import type { Kube } from "../../kube/kube.ts";
import { hasPluginRegistry } from "../../kubelet/run-dra-sockets.ts";
import { readSlices } from "./slices-output.ts";

interface ObstacleDependencies {
  readonly kube: Pick<Kube, "get" | "list">;
  readonly node: string;
  readonly domain: string;
  /** `/var/lib/kubelet`. */
  readonly kubelet: string;
}

const group = "/apis/resource.k8s.io/v1";

/** What is in the way, as a sentence, or undefined. Throws `kube.*` when the API server cannot be asked now. */
export async function findObstacle(dependencies: ObstacleDependencies, signal: AbortSignal): Promise<string | undefined> {
  const { kube, kubelet } = dependencies;
  if (!hasPluginRegistry(kubelet)) return `There is no kubelet at ${kubelet} that plugins can register with.`;
  try {
    const { resources } = await kube.get(group, signal);
    const names = Array.isArray(resources)
      ? (resources as readonly ({ readonly name?: unknown } | null)[]).map((resource) => resource?.name)
      : [];
    if (!names.includes("resourceslices")) return noApi;
  } catch (error) {
    if (hasCode(error, "kube.not-found")) return noApi;
    throw error;
  }
  try {
    await readSlices(dependencies, signal);
    return undefined;
  } catch (error) {
    if (hasCode(error, "kube.forbidden")) return `aerial may not: apply daemonset/components/resource-claims. ${error.message}.`;
    throw error;
  }
}

const noApi = "This cluster has no resource.k8s.io/v1, which comes with Kubernetes 1.34.";
