/** `config/default.yaml`: every key with its default and its explanation, written from the schema. */
import { stringify } from "yaml";
import { configJsonSchema, type JsonSchema } from "./json-schema.ts";

const head = `# aerial's configuration: every key, what it means, and its default.
# Written by \`npm run -s generate:config\` from src/config/schema.ts; change it there.
#
# aerial reads the file given by --config, else by $AERIAL_CONFIG, else /etc/aerial/config.yaml.
# Nothing here must be written: what is left out has its default. Every key can also be set from the
# environment, which wins over the file: AERIAL__SCAN__INTERVAL=30, AERIAL__LABELS__GRACE_SECONDS=10,
# AERIAL__LABELS__ALIASES='{zigbee: zigbee}'.
#
# What the file says of relay is taken as soon as it changes; the rest when aerial starts.
#
# yaml-language-server: $schema=./schema.json
`;

const lineWidth = 110;

/** The whole file's text. */
export function defaultYaml(): string {
  const sections = Object.entries(configJsonSchema().properties ?? {}).map(([key, schema]) => `${renderKey(key, schema).join("\n")}\n`);
  return `${[head, ...sections].join("\n").trimEnd()}\n`;
}

function renderKey(key: string, schema: JsonSchema): string[] {
  const { default: given, properties, items } = schema;
  const about = comment(schema.description ?? "");
  if (properties !== undefined) return [...about, `${key}:`, ...renderKeys(properties)];
  const example = schema.examples?.[0];
  if (given === undefined) return [...about, ...comment(`Default: ${schema["x-default"] ?? "none"}.`), `# ${inline(key, example)}`];
  const examples = example === undefined ? [] : [`# Example: ${inline(key, example)}`];
  return [...about, ...examples, inline(key, given), ...(items?.properties === undefined ? [] : renderItem(items.properties))];
}

function renderKeys(properties: Readonly<Record<string, JsonSchema>>): string[] {
  return indent(Object.entries(properties).flatMap(([key, schema]) => renderKey(key, schema)));
}

/** What an entry of a list may hold, as a comment. */
function renderItem(properties: Readonly<Record<string, JsonSchema>>): string[] {
  const keys = indent(Object.entries(properties).flatMap(([key, schema]) => renderExample(key, schema)));
  return keys.map((line, index) => `# ${index === 0 ? `- ${line.slice(2)}` : line}`);
}

function renderExample(key: string, { description, properties, examples }: JsonSchema): string[] {
  const about = comment(description ?? "");
  if (properties === undefined) return [...about, inline(key, examples?.[0])];
  return [...about, `${key}:`, ...indent(Object.entries(properties).flatMap(([inner, schema]) => renderExample(inner, schema)))];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** `key: value` on one line. */
function inline(key: string, value: unknown): string {
  return `${key}: ${stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: !Array.isArray(value) }).trimEnd()}`;
}

function comment(text: string): string[] {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(" ")) {
    if (line.length + word.length + 1 > lineWidth) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
