/** Raw configuration → checked configuration, or one error that points at every mistake. */
import type { z } from "zod";
import { configError, quoted, type ConfigProblem } from "./config-problem.ts";
import { configJsonSchema, type JsonSchema, keysAt } from "./json-schema.ts";
import { nearest } from "./nearest.ts";
import { findRaw, toPlain, type RawNode } from "./raw-config.ts";
import { configSchema, type ConfigFile } from "./schema.ts";

/** @throws AerialError `config.invalid` */
export function validateConfig(raw: RawNode): ConfigFile {
  if (raw.kind === "text" || raw.kind === "list") {
    throw configError([{ origin: raw.origin, text: 'must be keys and values, such as "scan:"' }]);
  }
  const result = configSchema.safeParse(toPlain(raw) ?? {});
  if (result.success) {
    const problems = aliasProblems(result.data, raw);
    if (problems.length > 0) throw configError(problems);
    return result.data;
  }
  throw configError(toProblems(result.error, raw, configJsonSchema()));
}

/** What the schema found wrong, each where it was written. `known` is the schema, to name the keys there are. */
export function toProblems(error: z.ZodError, raw: RawNode, known: JsonSchema): readonly ConfigProblem[] {
  return error.issues.flatMap((issue) => issueProblems(issue, raw, known));
}

/** An alias under aerial's own prefix would be a second owner for the same label. */
function aliasProblems({ labels }: ConfigFile, raw: RawNode): ConfigProblem[] {
  const own = Object.keys(labels.aliases).filter((key) => key.startsWith(`${labels.prefix}/`));
  return own.map((key) => {
    const { node, keyOrigin } = findRaw(raw, ["labels", "aliases", key]);
    return {
      origin: keyOrigin ?? node.origin,
      text: `labels.aliases: key ${quoted(key)} is under labels.prefix, where aerial's own labels are`,
    };
  });
}

function issueProblems(issue: z.core.$ZodIssue, raw: RawNode, known: JsonSchema): readonly ConfigProblem[] {
  const { node, keyOrigin, exact } = findRaw(raw, issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const at = findRaw(raw, [...issue.path, key]);
      return { origin: at.keyOrigin ?? at.node.origin, text: unknownKey(key, issue.path, known) };
    });
  }
  if (issue.code === "invalid_key") {
    const key = String(issue.path.at(-1));
    const rule = issue.issues[0]?.message ?? "can't be used";
    return [{ origin: keyOrigin ?? node.origin, text: `${formatPath(issue.path.slice(0, -1))}: key ${quoted(key)} ${rule}` }];
  }
  return [{ origin: node.origin, text: `${formatPath(issue.path)} ${exact ? brokenRule(issue, node) : "is missing"}` }];
}

function brokenRule(issue: z.core.$ZodIssue, node: RawNode): string {
  if (issue.code === "invalid_type") return typeRule(issue.expected, node);
  return node.kind === "text" && !issue.message.startsWith("is ") ? `${issue.message}, not ${quoted(node.text)}` : issue.message;
}

/** The message for a key that may not stand at `path`. */
function unknownKey(key: string, path: readonly PropertyKey[], schema: JsonSchema): string {
  const known = keysAt(schema, path);
  const meant = nearest(key, known);
  const where = path.length === 0 ? "" : ` in ${formatPath(path)}`;
  return `unknown key ${quoted(key)}${where}; ${meant === undefined ? `known are ${known.join(", ")}` : `did you mean "${meant}"?`}`;
}

function typeRule(expected: string, node: RawNode): string {
  if (node.kind === "empty") return "must not be empty";
  if (expected === "array") return "must be a list";
  if (expected === "object" || expected === "record") return "must be keys and values";
  return "must be a single value";
}

/** `radios[0].match.port`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? String(step) : `${text}.${String(step)}`),
    "",
  );
}
