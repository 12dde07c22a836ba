/** Holds answers to the contract, more strictly than a client would: what is not in it must not come. */
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import {
  type ContractDocument,
  type ContractOperation,
  type ContractSchema,
  parseContract,
  resolveReferences,
} from "../../src/api/contract/document.ts";

export interface Judge {
  readonly document: ContractDocument;
  readonly operations: ReadonlyMap<string, { readonly method: string; readonly path: string; readonly operation: ContractOperation }>;
  /** What is wrong with an answer; empty when nothing is. */
  judge(operationId: string, response: Response, body: string): readonly string[];
}

export function createJudge(): Judge {
  const document = parseContract();
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const operations = new Map(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) => [operation.operationId, { method: method.toUpperCase(), path, operation }] as const,
      ),
    ),
  );
  return {
    document,
    operations,
    judge(operationId, response, body) {
      const expected = operations.get(operationId)?.operation.responses[String(response.status)];
      if (expected === undefined) return [`${operationId} has no ${response.status}`];
      const type = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
      if (expected.content === undefined) return body === "" ? [] : [`${operationId} ${response.status} has no body`];
      const content = expected.content[type];
      if (content === undefined) return [`${operationId} ${response.status} is not of type ${type}`];
      if (!/[/+]json$/.test(type)) return [];
      const validate = ajv.compile(seal(resolveReferences(content.schema, document)));
      if (validate(JSON.parse(body))) return [];
      return (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
    },
  };
}

/** The same schema, in which objects have only what it lists. */
function seal(schema: ContractSchema): ContractSchema {
  const { properties, items, anyOf, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, seal(one)])),
      additionalProperties: additionalProperties ?? false,
    }),
    ...(items && { items: seal(items) }),
    ...(anyOf && { anyOf: anyOf.map(seal) }),
  };
}
