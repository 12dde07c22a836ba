/** All nodes, as the API server knows them. */
import { AerialError } from "../core/errors.ts";
import type { Handlers } from "./operations.ts";
import type { ApiSources } from "./sources.ts";

export function clusterHandlers({ clusterRadios }: ApiSources, signal: AbortSignal): Handlers<"listClusterRadios"> {
  return {
    async listClusterRadios() {
      if (clusterRadios === undefined) throw new AerialError("cluster.off", "no cluster is configured here");
      return clusterRadios(signal);
    },
  };
}
