/** Every route of the API. All of them only read. */
import type { FastifyInstance } from "fastify";
import type { Watch } from "../core/cell.ts";
import type { Clock } from "../core/clock.ts";
import type { Condition } from "../core/condition.ts";
import type { HistoryEntry, Snapshot } from "../core/radio.ts";
import type { Explanation, HistoryPage, NodeFacts } from "./api-view.ts";
import { findAll, requireRadio } from "./find-radio.ts";
import { type Readiness, toHealthView, toNodeView } from "./node-view.ts";
import type { MetricsAnswer } from "./metrics/metrics-answer.ts";
import { toDeviceView, toRadioView } from "./radio-view.ts";
import { addRelayRoutes, type RelayView } from "./relay-routes.ts";
import { routeSchemas } from "./route-schemas.ts";
import { createStreamReply } from "./stream-reply.ts";
import { streamChanges, toRadioList } from "./watch-stream.ts";

/** What the API shows. Everything is asked anew for each request. */
export interface ApiSources {
  readonly clock: Clock;
  readonly snapshots: Watch<Snapshot>;
  readonly conditions: Pick<Watch<ReadonlyMap<string, Condition>>, "current">;
  /** Entries after a sequence, oldest first. */
  history(query: { readonly after: number; readonly limit: number; readonly radioId?: string }): readonly HistoryEntry[];
  node(): NodeFacts;
  readiness(): Readiness;
  /** What is measured, in the format that the request accepts. */
  readonly metrics?: MetricsAnswer;
  /** The relay, where one is configured. */
  readonly relay?: RelayView;
}

const mostWatchers = 32;

/** Adds the routes; streams end when the signal aborts. */
export function addRoutes(app: FastifyInstance, sources: ApiSources, signal: AbortSignal): void {
  const health = () => toHealthView(sources.readiness(), sources.conditions.current);

  app.get("/livez", { schema: routeSchemas.livez }, () => ({ status: "ok" }));
  app.get("/healthz", { schema: routeSchemas.healthz }, health);
  app.get("/readyz", { schema: routeSchemas.readyz }, (_request, reply) => {
    const view = health();
    return reply.code(view.ready ? 200 : 503).send(view);
  });

  app.get("/metrics", async (request, reply) => {
    if (sources.metrics === undefined) return reply.callNotFound();
    const { contentType, text } = await sources.metrics(request.headers.accept);
    return reply.type(contentType).send(text);
  });

  app.get("/api/v1/node", { schema: routeSchemas.node }, () =>
    toNodeView({
      snapshot: sources.snapshots.current,
      facts: sources.node(),
      conditions: sources.conditions.current,
      now: sources.clock.now(),
    }),
  );

  const radiosBody = rememberLast((snapshot: Snapshot) => JSON.stringify(toRadioList(snapshot)));
  app.get("/api/v1/radios", { schema: routeSchemas.radios }, (_request, reply) =>
    reply.type("application/json; charset=utf-8").send(radiosBody(sources.snapshots.current)),
  );

  app.get<{ Params: { key: string } }>("/api/v1/radios/:key", { schema: routeSchemas.radio }, (request) =>
    toRadioView(requireRadio(sources.snapshots.current, request.params.key)),
  );

  app.get<{ Params: { key: string } }>("/api/v1/radios/:key/explain", { schema: routeSchemas.explain }, (request): Explanation => {
    const { radios, others } = findAll(sources.snapshots.current, request.params.key);
    return { radios: radios.map(toRadioView), others: others.map(({ device, identity }) => toDeviceView(device, identity)) };
  });

  app.get<{ Querystring: { after: number; limit: number; radio?: string } }>(
    "/api/v1/history",
    { schema: routeSchemas.history },
    ({ query: { after, limit, radio } }): HistoryPage => {
      const entries = sources.history({ after, limit, ...(radio === undefined ? {} : { radioId: radio }) });
      return { entries, next: entries.at(-1)?.sequence ?? after };
    },
  );

  const streamReply = createStreamReply(mostWatchers, "watchers");
  app.get("/api/v1/watch", (_request, reply) => streamReply(reply, (response) => streamChanges(sources, response, signal)));

  addRelayRoutes(app, sources, signal);
}

/** `make` of the value given last is kept: most requests come between two changes. */
function rememberLast<Value extends object, Made>(make: (value: Value) => Made): (value: Value) => Made {
  let last: { readonly value: Value; readonly made: Made } | undefined;
  return (value) => {
    if (last?.value !== value) last = { value, made: make(value) };
    return last.made;
  };
}
