/** The configuration's JSON Schema: for editors, for `config/schema.json`, and to know which keys exist where. */
import { z } from "zod";
import { configSchema } from "./schema.ts";

/** The parts of JSON Schema 2020-12 that the configuration uses. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly "x-default"?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
}

/** Nothing at all must be written: `required` is kept only where a key has no default, in lists. */
export function configJsonSchema(schema: z.ZodType = configSchema): JsonSchema {
  return z.toJSONSchema(schema, {
    io: "output",
    override({ jsonSchema }) {
      const properties = jsonSchema.properties ?? {};
      const required = jsonSchema.required?.filter((key) => {
        const property = properties[key];
        return typeof property !== "object" || (property.default === undefined && !isSection(property));
      });
      if (required === undefined || required.length === 0) delete jsonSchema.required;
      else jsonSchema.required = required;
      // A section with nothing in it (`node:`) is as good as none.
      if (isSection(jsonSchema)) Object.assign(jsonSchema, { type: ["object", "null"] });
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as JsonSchema;
}

/** Sections come as if empty when left out. */
function isSection(schema: z.core.JSONSchema.BaseSchema): boolean {
  return (
    schema.properties !== undefined &&
    schema.additionalProperties === false &&
    (schema.required ?? []).length === 0 &&
    schema.minProperties !== 1
  );
}

/** The schema of the value at `path`, or undefined where nothing may stand. */
export function schemaAt(root: JsonSchema, path: readonly PropertyKey[]): JsonSchema | undefined {
  let schema: JsonSchema | undefined = root;
  for (const step of path) {
    if (schema === undefined) return undefined;
    if (typeof step === "number") schema = schema.items;
    else if (schema.properties !== undefined)
      schema = Object.hasOwn(schema.properties, String(step)) ? schema.properties[String(step)] : undefined;
    else schema = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  }
  return schema;
}

/** The keys a map at `path` may have; empty where any may stand or none. */
export function keysAt(root: JsonSchema, path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(schemaAt(root, path)?.properties ?? {});
}
