/** The API of one node: over a unix socket, on the loopback address, and to others who have a token. */
import type { RequestListener } from "node:http";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Conditions } from "../core/condition.ts";
import { AerialError, describeError } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { Log } from "../core/log.ts";
import { addAccess } from "./access/access-hook.ts";
import { type AccessOptions, openAccess } from "./access/access.ts";
import type { Problem } from "./contract/types.ts";
import { parseContract } from "./contract/document.ts";
import { type ListenerOptions, openListeners } from "./listen.ts";
import type { LiveHints } from "./live/live-events.ts";
import { openLiveApi } from "./live/live-handlers.ts";
import { type ApiCounters, createApiCounters } from "./metrics/api-counters.ts";
import { countRequests, countUnrouted } from "./metrics/count-requests.ts";
import { addPage } from "./page/serve-page.ts";
import { plainProblem, problemType, toProblem } from "./problem.ts";
import { addOperations, createAllowedMethods, holdToContract } from "./operations.ts";
import { createRadioLists } from "./radio-list.ts";
import { watchRadioViews } from "./radio-views.ts";
import { createHandlers } from "./routes.ts";
import type { ApiSources } from "./sources.ts";

/** As long as the contract lets a key be: longer than any sysfs path that names a radio. */
const longestKey = 1024;

export interface ApiDependencies extends Omit<ApiSources, "counters">, ListenerOptions, Partial<AccessOptions> {
  readonly log: Log;
  readonly conditions: Conditions;
  /** What those who follow live are told of, beside radios and conditions, when it changes. */
  readonly hints?: LiveHints;
  /** Where others read what the API counts. */
  readonly counters?: ApiCounters;
}

export interface Api extends AsyncDisposable {
  /** Where it listens, for the log. */
  readonly addresses: readonly string[];
}

/** Serves until disposed; live streams also end when the signal aborts. @throws AerialError `api.listen` */
export async function openApi(deps: ApiDependencies, signal: AbortSignal): Promise<Api> {
  const { log, tokens = [], cors = [], requestsPerSecond = 0, counters = createApiCounters() } = deps;
  const lifetime = linkSignal(signal);
  const document = parseContract();
  const app = createApp(log);
  holdToContract(app);
  countRequests(app, counters);
  const access = await openAccess({ ...deps, tokens, cors, requestsPerSecond }, lifetime.signal);
  addAccess(app, access);
  addNotFound(app, createAllowedMethods(document), counters);
  const live = openLiveApi(
    { ...deps, counters, hints: { conditions: deps.conditions, ...(deps.handover && { pods: deps.handover.holders }), ...deps.hints } },
    lifetime.signal,
  );
  const views = watchRadioViews(deps, lifetime.signal);
  const lists = createRadioLists(views, document);
  addPage(app);
  addOperations(app, createHandlers({ ...deps, counters }, { live: live.handlers, views, lists }, lifetime.signal), document);
  await app.ready();
  let listeners: AsyncDisposable | undefined;
  const close = async (): Promise<void> => {
    lifetime.abort(new AerialError("internal.abort", "the API is closing"));
    lifetime[Symbol.dispose]();
    await listeners?.[Symbol.asyncDispose]();
    await app.close();
  };
  try {
    const node = deps.snapshots.current.node;
    const handler: RequestListener = (request, response) => app.routing(request, response);
    const opened = await openListeners(
      { ...deps, node, access, handler, attach: (server) => live.upgrades.attach(server, app) },
      lifetime.signal,
    );
    listeners = opened;
    return {
      get addresses() {
        return opened.addresses;
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function createApp(log: Log): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: 64 * 1024,
    routerOptions: { maxParamLength: longestKey },
    // Raised by the router before any handler of ours.
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, toProblem(error)),
  });
  // A body is JSON or nothing that is read here.
  app.removeContentTypeParser("text/plain");
  app.addContentTypeParser("application/merge-patch+json", { parseAs: "string" }, app.getDefaultJsonParser("error", "error"));
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status === 500) log.error({ route: request.routeOptions.url, err: describeError(error) }, "request failed");
    return sendProblem(reply, problem);
  });
  return app;
}

/** Answers before anything of a body is read. `allowedMethods`: of the contract's paths. */
function addNotFound(app: FastifyInstance, allowedMethods: (url: string) => string | undefined, counters: ApiCounters): void {
  app.setNotFoundHandler((request, reply) => sendNotFound(request, reply));
  app.addHook("onRequest", (request, reply, next) => {
    if (request.is404) sendNotFound(request, reply);
    else next();
  });

  function sendNotFound({ method, url }: FastifyRequest, reply: FastifyReply): void {
    const allowed = allowedMethods(url);
    countUnrouted(counters, allowed === undefined ? 404 : 405);
    if (allowed === undefined) sendProblem(reply, plainProblem(404, `nothing is at ${url}`));
    else sendProblem(reply.header("allow", allowed), plainProblem(405, `${method} is nothing that ${url} knows`));
  }
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type(problemType).send(problem);
}
