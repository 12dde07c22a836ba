/** `AERIAL__SECTION__KEY` → raw configuration. Two underscores, so that what Kubernetes sets for a Service named aerial (`AERIAL_PORT`) is no setting. */
import { configError, quoted, type ConfigProblem } from "./config-problem.ts";
import { configJsonSchema, keysAt, schemaAt, type JsonSchema } from "./json-schema.ts";
import { nearest } from "./nearest.ts";
import { parseYamlVariable } from "./parse-yaml.ts";
import { mergeRaw, type RawNode } from "./raw-config.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = "AERIAL__";

/**
 * Reads all `AERIAL__…` variables. Letters' case and single underscores don't matter: `AERIAL__LABELS__GRACE_SECONDS=10`.
 * Sections, lists and maps take YAML: `AERIAL__LABELS__ALIASES='{zigbee: zigbee}'`. An empty variable counts as unset.
 * @throws AerialError `config.invalid`
 */
export function readEnvironment(environment: Environment): RawNode {
  let raw: RawNode = { kind: "map", entries: new Map(), origin: { source: "environment" } };
  const variables = Object.keys(environment)
    .filter((name) => name.startsWith(prefix))
    .sort();
  if (variables.length === 0) return raw;
  const schema = configJsonSchema();
  const paths = variables.map((variable) => ({ variable, path: findPath(schema, variable) }));
  const problems: ConfigProblem[] = paths.flatMap(({ variable, path }) =>
    typeof path === "string" ? [{ origin: { source: variable }, text: path }] : [],
  );
  if (problems.length > 0) throw configError(problems);
  for (const { variable, path } of paths) {
    const text = environment[variable] ?? "";
    if (typeof path !== "string" && text !== "") raw = mergeRaw(raw, wrap(path, readValue({ schema, path, text, variable }), variable));
  }
  return raw;
}

/** The keys a variable's name stands for, or what is wrong with it. */
function findPath(schema: JsonSchema, variable: string): readonly string[] | string {
  const path: string[] = [];
  for (const segment of variable.slice(prefix.length).split("__")) {
    const keys = keysAt(schema, path);
    if (keys.length === 0)
      return `${quoted(segment)} is too deep: set ${[prefix.slice(0, -2), ...path.map(toSegment)].join("__")} as a whole, in YAML`;
    const key = keys.find((candidate) => candidate.toUpperCase() === segment.toUpperCase().replaceAll("_", ""));
    if (key === undefined) {
      const segments = keys.map(toSegment);
      const meant = nearest(segment, segments);
      return `unknown key ${quoted(segment)}; ${meant === undefined ? `known are ${segments.join(", ")}` : `did you mean "${meant}"?`}`;
    }
    path.push(key);
  }
  return path;
}

function toSegment(key: string): string {
  return key.replaceAll(/(?=[A-Z])/g, "_").toUpperCase();
}

function readValue(value: { schema: JsonSchema; path: readonly string[]; text: string; variable: string }): RawNode {
  const { properties, additionalProperties, items } = schemaAt(value.schema, value.path) ?? {};
  const structured = properties !== undefined || items !== undefined || typeof additionalProperties === "object";
  return structured
    ? parseYamlVariable(value.text, value.variable)
    : { kind: "text", text: value.text, origin: { source: value.variable } };
}

function wrap(path: readonly string[], value: RawNode, variable: string): RawNode {
  const origin = { source: variable };
  return path.reduceRight<RawNode>(
    (inner, key) => ({ kind: "map", origin, entries: new Map([[key, { keyOrigin: origin, value: inner }]]) }),
    value,
  );
}
