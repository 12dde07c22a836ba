/** All nodes and pods, as the API server knows them. */
import { AerialError } from "../core/errors.ts";
import type { Handlers } from "./operations.ts";
import type { ApiSources } from "./sources.ts";

export function clusterHandlers(
  { clusterRadios, radioPods }: ApiSources,
  signal: AbortSignal,
): Handlers<"listClusterRadios" | "listRadioPods"> {
  return {
    async listClusterRadios() {
      if (clusterRadios === undefined) throw new AerialError("cluster.off", "no cluster is configured here");
      return clusterRadios(signal);
    },
    async listRadioPods() {
      if (radioPods === undefined)
        throw new AerialError("cluster.off", "no radios are given to pods here: no cluster is configured, or there is no kubelet");
      return radioPods(signal);
    },
  };
}
