/** The API of one node: read-only, local, over a unix socket and, if asked for, a loopback port. */
import type { RequestListener, Server } from "node:http";
import { fastify, type FastifyInstance, type FastifyReply } from "fastify";
import { AerialError, describeError } from "../core/errors.ts";
import { linkSignal } from "../core/linked-signal.ts";
import type { Log } from "../core/log.ts";
import type { ProblemView } from "./api-view.ts";
import { parseContract } from "./contract/document.ts";
import { closeServer, listenOnPort, listenOnSocket } from "./listen.ts";
import { plainProblem, problemType, toProblem } from "./problem.ts";
import { addOperations, createAllowedMethods } from "./operations.ts";
import { createHandlers, type LiveHandlers } from "./routes.ts";
import type { ApiSources } from "./sources.ts";

/** As long as the contract lets a key be: longer than any sysfs path that names a radio. */
const longestKey = 1024;

export interface ApiDependencies extends ApiSources {
  readonly log: Log;
  readonly live?: LiveHandlers;
  /** Path of the unix socket. */
  readonly socket: string;
  /** TCP port on 127.0.0.1; none unless given. */
  readonly port?: number | false | undefined;
}

export interface Api extends AsyncDisposable {
  /** Where it listens, for the log. */
  readonly addresses: readonly string[];
}

/** Serves until disposed; live streams also end when the signal aborts. @throws AerialError `api.listen` */
export async function openApi(deps: ApiDependencies, signal: AbortSignal): Promise<Api> {
  const { log, socket, port } = deps;
  const lifetime = linkSignal(signal);
  const document = parseContract();
  const app = createApp(log, createAllowedMethods(document));
  addOperations(app, createHandlers(deps, deps.live, lifetime.signal), document);
  await app.ready();
  const handler: RequestListener = (request, response) => app.routing(request, response);
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    lifetime.abort(new AerialError("internal.abort", "the API is closing"));
    lifetime[Symbol.dispose]();
    await Promise.all(servers.map(closeServer));
    await app.close();
  };
  try {
    servers.push(await listenOnSocket(socket, handler));
    if (port !== undefined && port !== false) servers.push(await listenOnPort(port, handler));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    addresses: [socket, ...(port === undefined || port === false ? [] : [`127.0.0.1:${port}`])],
    [Symbol.asyncDispose]: close,
  };
}

/** `allowedMethods`: of the contract's paths. */
function createApp(log: Log, allowedMethods: (url: string) => string | undefined): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: 64 * 1024,
    routerOptions: { maxParamLength: longestKey },
    // Raised by the router before any handler of ours.
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, toProblem(error)),
  });
  app.addHook("onRequest", async (request, reply) => {
    void reply.header("cache-control", "no-store").header("x-content-type-options", "nosniff");
    // A web page may resolve its own name to 127.0.0.1 (DNS rebinding); the name it asked for gives it away.
    if (request.raw.socket.localAddress !== undefined && !isLoopbackName(request.headers.host)) {
      return sendProblem(reply, plainProblem(421, "this API answers to localhost only"));
    }
    return undefined;
  });
  // A body is JSON or nothing that is read here.
  app.removeContentTypeParser("text/plain");
  app.addContentTypeParser("application/merge-patch+json", { parseAs: "string" }, app.getDefaultJsonParser("error", "error"));
  app.setNotFoundHandler((request, reply) => {
    const allowed = allowedMethods(request.url);
    if (allowed === undefined) return sendProblem(reply, plainProblem(404, `nothing is at ${request.url}`));
    return sendProblem(reply.header("allow", allowed), plainProblem(405, `${request.method} is nothing that ${request.url} knows`));
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) log.error({ route: request.routeOptions.url, err: describeError(error) }, "request failed");
    return sendProblem(reply, problem);
  });
  return app;
}

function sendProblem(reply: FastifyReply, problem: ProblemView): FastifyReply {
  return reply.code(problem.status).type(problemType).send(problem);
}

function isLoopbackName(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(host);
}
