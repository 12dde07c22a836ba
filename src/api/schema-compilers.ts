/** Schemas of the contract as functions. Each is made when it is first needed: most operations are never asked for. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import fastJson from "fast-json-stringify";
import type { FastifySchemaCompiler, FastifySerializerCompiler } from "fastify";
import type { ContractSchema } from "./contract/document.ts";

const places: Readonly<Record<string, string>> = { params: "path", querystring: "query", headers: "header", body: "body" };

/** Nothing is converted but what can only come as text: parameters of path and query. */
export function createValidators(): FastifySchemaCompiler<ContractSchema> {
  let ajv: Ajv2020 | undefined;
  return ({ schema, httpPart = "body" }) => {
    let validate: ValidateFunction | undefined;
    const { properties = {} } = schema;
    return (data: unknown) => {
      ajv ??= new Ajv2020({ useDefaults: true, validateFormats: false, strict: false, addUsedSchema: false });
      validate ??= ajv.compile(schema);
      const value = httpPart === "querystring" ? readParameters(data, properties) : data;
      if (validate(value)) return { value };
      return { error: new TypeError(describe(places[httpPart] ?? httpPart, validate.errors?.[0])) };
    };
  };
}

/** `query/limit must be <= 1000`. */
function describe(place: string, problem: ErrorObject | undefined): string {
  if (problem?.keyword === "additionalProperties") {
    const { additionalProperty } = problem.params as { readonly additionalProperty: string };
    return `${place}${problem.instancePath} must not have ${JSON.stringify(additionalProperty.slice(0, 80))}`;
  }
  return `${place}${problem?.instancePath ?? ""} ${problem?.message ?? "is not what the contract asks for"}`;
}

/** Writes what the schema lists, and no more. */
export function createSerializers(): FastifySerializerCompiler<ContractSchema> {
  return ({ schema }) => {
    let write: ((value: unknown) => string) | undefined;
    return (value: unknown) => {
      // Its types know an older draft of JSON Schema.
      write ??= fastJson(schema as Parameters<typeof fastJson>[0]);
      return write(value);
    };
  };
}

/** A copy in which numbers are numbers. What is none stays text, which validation refuses. */
function readParameters(data: unknown, properties: Readonly<Record<string, ContractSchema>>): Record<string, unknown> {
  const given = Object.entries(data as Readonly<Record<string, unknown>>);
  return Object.fromEntries(given.map(([name, value]) => [name, properties[name]?.type === "integer" ? readInteger(value) : value]));
}

function readInteger(value: unknown): unknown {
  return typeof value === "string" && /^-?(0|[1-9][0-9]{0,14})$/.test(value) ? Number(value) : value;
}
