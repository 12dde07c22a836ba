/**
 * The contract, served: each operation of it has one handler here, and nothing else has. What comes in is held to the
 * contract before a handler sees it; what goes out has what the contract lists, and no more.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  type ContractDocument,
  type ContractOperation,
  type ContractSchema,
  parametersOf,
  resolveReferences,
  type Role,
} from "./contract/document.ts";
import type { Operations } from "./contract/types.ts";
import { createSerializers, createValidators } from "./schema-compilers.ts";

type OperationId = keyof Operations;

/** One request, as the contract has it. */
export interface Call<Id extends OperationId> {
  readonly path: Operations[Id]["path"];
  readonly query: Operations[Id]["query"];
  readonly header: Operations[Id]["header"];
  readonly body: Operations[Id]["body"];
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Gives what the contract says, or a reply that it has sent itself. */
type Handler<Id extends OperationId> = (
  call: Call<Id>,
) => Operations[Id]["result"] | FastifyReply | Promise<Operations[Id]["result"] | FastifyReply>;

/** A handler for each of the operations. */
export type Handlers<Ids extends OperationId = OperationId> = { readonly [Id in Ids]: Handler<Id> };

declare module "fastify" {
  interface FastifyContextConfig {
    /** Absent for what is not in the contract: the page. */
    readonly operationId?: OperationId;
    readonly role?: Role;
  }
}

/** Beside the contract there is only the page. */
const pageRoutes = /^\/$|^\/assets\//;

/** From here on a route that is neither an operation nor the page's can't be added: what is not in the contract has no role either. */
export function holdToContract(app: FastifyInstance): void {
  app.addHook("onRoute", ({ url, config }) => {
    if (config?.operationId === undefined && !pageRoutes.test(url)) throw new TypeError(`${url} is not in the contract`);
  });
}

/** Adds a route for each operation. */
export function addOperations(app: FastifyInstance, handlers: Handlers, document: ContractDocument): void {
  app.setValidatorCompiler(createValidators());
  app.setSerializerCompiler(createSerializers());
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const id = operation.operationId as OperationId;
      // The types hold each handler to its own operation; here all of them are alike.
      const handle = handlers[id] as Handler<OperationId>;
      const { schema, type, streams } = shapeOf(operation, document);
      app.route({
        method: method.toUpperCase(),
        url: toRouterPath(path),
        // A stream has no end that its head could be told without.
        exposeHeadRoute: method === "get" && !streams,
        config: { operationId: id, role: operation["x-aerial-role"] },
        schema,
        handler(request, reply) {
          if (type !== undefined) void reply.type(type);
          const { params, query, headers, body } = request;
          return handle({ path: params, query, header: headers, body, request, reply } as Call<OperationId>);
        },
      });
    }
  }
}

/** Which methods each path of the contract knows, for who used another: `GET, HEAD`. Undefined for a path that nobody knows. */
export function createAllowedMethods({ paths }: ContractDocument): (url: string) => string | undefined {
  const known = Object.entries(paths).map(([path, methods]) => {
    const names = Object.keys(methods).map((method) => method.toUpperCase());
    return { pattern: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`), allowed: names.join(", ") };
  });
  return (url) => {
    const [path = ""] = url.split("?", 1);
    return known.find(({ pattern }) => pattern.test(path))?.allowed;
  };
}

interface Shape {
  readonly schema: object;
  /** The media type of the good answer, where it is not JSON. */
  readonly type: string | undefined;
  readonly streams: boolean;
}

function shapeOf(operation: ContractOperation, document: ContractDocument): Shape {
  const parameters = parametersOf(operation, document);
  const of = (place: "path" | "query" | "header"): ContractSchema => {
    const placed = parameters.filter((parameter) => parameter.in === place);
    const name = (given: string): string => (place === "header" ? given.toLowerCase() : given);
    return {
      type: "object",
      properties: Object.fromEntries(placed.map((parameter) => [name(parameter.name), parameter.schema])),
      required: placed.filter(({ required }) => required === true).map((parameter) => name(parameter.name)),
      // A mistyped filter must not look like one that finds everything. Headers are anybody's.
      additionalProperties: place === "header",
    };
  };
  const header = of("header");
  const body = Object.values(operation.requestBody?.content ?? {})[0];
  const answers = Object.entries(operation.responses).flatMap(([status, { content }]) => {
    const json = content?.["application/json"];
    return json === undefined ? [] : [[status, resolveReferences(json.schema, document)] as const];
  });
  const [type] = Object.keys(operation.responses["200"]?.content ?? {});
  const streams = operation.responses["101"] !== undefined || type === "application/x-ndjson" || type === "text/event-stream";
  return {
    schema: {
      params: of("path"),
      querystring: of("query"),
      ...(Object.keys(header.properties ?? {}).length > 0 && { headers: header }),
      ...(body && { body: resolveReferences(body.schema, document) }),
      response: Object.fromEntries(answers),
    },
    type:
      type === undefined || streams || type === "application/json" ? undefined : type.startsWith("text/") ? `${type}; charset=utf-8` : type,
    streams,
  };
}

/** `/radios/{key}` → `/radios/:key`. */
function toRouterPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}
