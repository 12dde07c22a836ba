/** What the configuration's section `api` comes to, together with the cluster. */
import type { Config } from "./config/schema.ts";
import type { TokenReviewer } from "./core/access.ts";
import { AerialError } from "./core/errors.ts";

/** Where the API is reached, and who may come in. `review` asks the cluster, where there is one. */
export function toApiAccess({ api }: Pick<Config, "api">, review: TokenReviewer | undefined) {
  const { socket, listen, tokens, cors, requestsPerSecond, kubernetesTokens } = api;
  return {
    socket,
    port: api.port ?? ("default" as const),
    listen,
    tokens,
    cors,
    requestsPerSecond,
    ...(kubernetesTokens.enabled && { review: review ?? noCluster }),
  };
}

/** Nobody comes in by a token that nobody can be asked about. */
const noCluster: TokenReviewer = () => Promise.reject(new AerialError("kube.config", "there is no cluster to ask"));
