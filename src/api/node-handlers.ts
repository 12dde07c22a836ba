/** The node: what runs here, whether it is well, and what it can be told to do. */
import { AerialError } from "../core/errors.ts";
import type { Health } from "./contract/types.ts";
import { toHealthView, toNodeView } from "./node-view.ts";
import type { Handlers } from "./operations.ts";
import type { ApiSources } from "./sources.ts";
import { createSupportBundles } from "./support/support-bundle.ts";

type NodeOperation =
  | "getNode"
  | "listConditions"
  | "listPlugins"
  | "getConfig"
  | "rescan"
  | "createSupportBundle"
  | "getLiveness"
  | "getReadiness"
  | "getHealth"
  | "getMetrics";

/** What takes long also ends when the signal aborts. */
export function nodeHandlers(sources: ApiSources, signal: AbortSignal): Handlers<NodeOperation> {
  const { clock, snapshots, conditions } = sources;
  const makeBundle = createSupportBundles(sources, signal);
  const health = (): Health => toHealthView(sources.readiness(), conditions.current);
  return {
    getNode: () => toNodeView({ snapshot: snapshots.current, facts: sources.node(), conditions: conditions.current, now: clock.now() }),
    listConditions: () => ({ conditions: [...conditions.current.values()] }),
    listPlugins: () => ({ plugins: required(sources.plugins, "the list of plugins")() }),
    getConfig: () => ({ config: required(sources.config, "the configuration")() }),
    async rescan() {
      const startedMs = performance.now();
      await required(sources.rescan, "looking for devices")(signal);
      return { revision: snapshots.current.revision, durationMs: Math.round(performance.now() - startedMs) };
    },
    async createSupportBundle({ query, reply }) {
      const { name, archive } = await makeBundle({ hideNames: query.names === "hide" });
      return reply.header("content-disposition", `attachment; filename="${name}"`).send(archive);
    },
    getLiveness: () => ({ status: "ok" }),
    getReadiness({ reply }) {
      const view = health();
      void reply.code(view.ready ? 200 : 503);
      return view;
    },
    getHealth: health,
    async getMetrics({ request, reply }) {
      const { contentType, text } = await required(sources.metrics, "measurements")(request.headers.accept);
      void reply.type(contentType);
      return text;
    },
  };
}

/** @throws AerialError `api.off` */
function required<Part>(part: Part | undefined, what: string): Part {
  if (part === undefined) throw new AerialError("api.off", `${what} is not there in this aerial`);
  return part;
}
