/**
 * TypeScript out of the contract: a type for each schema, and what each operation takes and gives. The document is ours, so
 * only what it uses of JSON Schema is known here; anything else is an error.
 */

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly contentMediaType?: string;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly parameters: Readonly<Record<string, Parameter>> };
}

const head = "Made by `npm run generate:api` from the contract; not to be edited.";

/** All types, for `src/api/contract/types.ts`. */
export function toContractTypes(document: Document): string {
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => declaration(name, schema));
  const operations = operationsOf(document).map(({ operation }) => `${comment(operation.description)}${describe(operation, document)}`);
  return `/** The contract's types. ${head} */\n\n${schemas.join("\n\n")}\n\ntype NoFields = Readonly<Record<string, never>>;\n\n/** What each operation takes, and what it gives when all is well. */\nexport interface Operations {\n${operations.join("\n")}\n}\n`;
}

/** Where each operation is, for `src/client/operation-table.ts`. */
export function toOperationTable(document: Document): string {
  const rows = operationsOf(document).map(({ operation, method, path }) => {
    const bodyType = Object.keys(operation.requestBody?.content ?? {})[0];
    const body = bodyType === undefined ? "" : `, body: ${JSON.stringify(bodyType)}`;
    return `${operation.operationId}: { method: ${JSON.stringify(method)}, path: ${JSON.stringify(path)}, gives: ${JSON.stringify(gives(operation))}${body} },`;
  });
  return `/** Where each operation of the contract is, and in which form it answers. ${head} */\nexport const operationTable = {\n${rows.join("\n")}\n} as const;\n`;
}

function operationsOf({ paths }: Document) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ operation, method: method.toUpperCase(), path })),
  );
}

function describe(operation: Operation, { components }: Document): string {
  const parameters = (operation.parameters ?? []).map((parameter) =>
    parameter.$ref === undefined ? parameter : components.parameters[lastOf(parameter.$ref)]!,
  );
  const bodies = [...new Set(Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => typeOf(schema)))];
  const parts = (["path", "query", "header"] as const).map((place) => {
    const fields = parameters
      .filter((parameter) => parameter.in === place)
      .map(({ name, required, schema, description }) =>
        field({ name: place === "header" ? name.toLowerCase() : name, optional: required !== true, schema, description }),
      );
    return `readonly ${place}: ${fields.length === 0 ? "NoFields" : `{ ${fields.join("\n")} }`};`;
  });
  return `readonly ${operation.operationId}: { ${parts.join(" ")} readonly body: ${bodies.join(" | ") || "undefined"}; readonly result: ${resultOf(operation)}; };`;
}

/** The form of the good answer. */
function gives(operation: Operation): "json" | "text" | "bytes" | "lines" | "events" | "socket" {
  if (operation.responses["101"] !== undefined) return "socket";
  const type = Object.keys(operation.responses["200"]?.content ?? {})[0] ?? "";
  if (type === "application/json") return "json";
  if (type === "application/x-ndjson") return "lines";
  if (type === "text/event-stream") return "events";
  if (type === "application/gzip") return "bytes";
  if (type.startsWith("text/") || type === "application/yaml") return "text";
  throw new Error(`${operation.operationId} answers with ${type}, for which there is no form`);
}

function resultOf(operation: Operation): string {
  const form = gives(operation);
  if (form === "json") return typeOf(Object.values(operation.responses["200"]!.content!)[0]!.schema);
  return form === "text" ? "string" : form === "bytes" ? "Uint8Array" : "undefined";
}

function declaration(name: string, schema: Schema): string {
  const says = comment(schema.description);
  if (schema.properties === undefined) return `${says}export type ${name} = ${typeOf(schema)};`;
  return `${says}export interface ${name} ${typeOf(schema)}`;
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return lastOf(schema.$ref);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.type === "array") return `readonly (${typeOf(schema.items!)})[]`;
  if (schema.type === "integer") return "number";
  if (schema.type !== "object") {
    if (schema.type === undefined || !["string", "number", "boolean", "null"].includes(schema.type))
      throw new Error(`no type for ${JSON.stringify(schema)}`);
    return schema.type;
  }
  if (schema.properties === undefined) {
    const { additionalProperties: values } = schema;
    return `Readonly<Record<string, ${typeof values === "object" ? typeOf(values) : "unknown"}>>`;
  }
  const fields = Object.entries(schema.properties).map(([name, inner]) =>
    field({ name, optional: schema.required?.includes(name) !== true, schema: inner, description: inner.description }),
  );
  return `{ ${fields.join("\n")} }`;
}

interface Field {
  readonly name: string;
  readonly optional: boolean;
  readonly schema: Schema;
  readonly description: string | undefined;
}

function field({ name, optional, schema, description }: Field): string {
  const key = /^[a-z]\w*$/i.test(name) ? name : JSON.stringify(name);
  return `${comment(description)}readonly ${key}${optional ? "?" : ""}: ${typeOf(schema)};`;
}

function comment(text: string | undefined): string {
  if (text === undefined) return "";
  const lines = text.split("\n");
  return lines.length === 1 ? `\n/** ${text} */\n` : `\n/**\n${lines.map((line) => ` * ${line}`.trimEnd()).join("\n")}\n */\n`;
}

function lastOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}
