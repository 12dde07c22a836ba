/** The contract, as the daemon reads it. */
import { readFileSync } from "node:fs";

/** JSON Schema 2020-12, as far as the contract uses it. */
export interface ContractSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, ContractSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: ContractSchema | boolean;
  readonly items?: ContractSchema;
  readonly anyOf?: readonly ContractSchema[];
  readonly description?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

interface ContractContent {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema: ContractSchema }>>;
}

interface ContractParameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: ContractSchema;
}

/** Who may ask for it: anybody; who may look; who may act. */
export type Role = "none" | "viewer" | "operator";

export interface ContractOperation {
  readonly operationId: string;
  readonly "x-aerial-role": Role;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly ContractParameter[];
  readonly requestBody?: ContractContent;
  readonly responses: Readonly<Record<string, ContractContent>>;
}

/** OpenAPI 3.1, as far as the contract uses it. */
export interface ContractDocument {
  readonly info: { readonly title: string; readonly description?: string };
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, ContractOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, ContractSchema>>;
    readonly parameters: Readonly<Record<string, ContractParameter>>;
  };
}

/** The bytes of `openapi.json`. Read each time: hardly anybody asks, and most never do. */
export function readContract(): Buffer {
  return readFileSync(new URL("openapi.json", import.meta.url));
}

export function parseContract(): ContractDocument {
  return JSON.parse(readContract().toString("utf8")) as ContractDocument;
}

/** The thing itself instead of a reference to it, all the way down. Nothing in the contract contains itself. */
export function resolveReferences(schema: ContractSchema, document: ContractDocument): ContractSchema {
  if (schema.$ref !== undefined) return resolveReferences(referredTo(schema.$ref, document.components.schemas), document);
  const inner = (one: ContractSchema): ContractSchema => resolveReferences(one, document);
  const { properties, additionalProperties, items, anyOf } = schema;
  return {
    ...schema,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inner(one)])) }),
    ...(typeof additionalProperties === "object" && { additionalProperties: inner(additionalProperties) }),
    ...(items && { items: inner(items) }),
    ...(anyOf && { anyOf: anyOf.map(inner) }),
  };
}

/** Parameters of an operation, each in full. */
export function parametersOf({ parameters = [] }: ContractOperation, document: ContractDocument): readonly ContractParameter[] {
  return parameters.map((parameter) => {
    const whole = parameter.$ref === undefined ? parameter : referredTo(parameter.$ref, document.components.parameters);
    return { ...whole, schema: resolveReferences(whole.schema, document) };
  });
}

function referredTo<One>(reference: string, all: Readonly<Record<string, One>>): One {
  const found = all[reference.slice(reference.lastIndexOf("/") + 1)];
  // The document comes with aerial, and a test holds it to what the compiler makes.
  if (found === undefined) throw new TypeError(`the contract has no ${reference}`);
  return found;
}
