/** Rules of the relay in a file of their own: `rules`, `defaults` and `default`, as in the section `relay`. */
import { configError } from "./config-problem.ts";
import { configJsonSchema } from "./json-schema.ts";
import { parseYaml } from "./parse-yaml.ts";
import { findRaw, toPlain } from "./raw-config.ts";
import { readConfigFile } from "./read-config-file.ts";
import type { WrittenLink } from "./relay-links.ts";
import { relayRulesSchema, unknownLinks, type WrittenRule } from "./relay-schema.ts";
import { toProblems } from "./validate-config.ts";

export interface RelayRules {
  readonly rules: readonly WrittenRule[];
  readonly defaults: boolean;
  readonly default: "allow" | "deny";
}

/**
 * With `links`, rules may name no others.
 * @throws AerialError `config.unreadable` or `config.invalid`; the latter's message names file, line and column of each mistake.
 */
export function loadRelayRules(file: string, links?: readonly WrittenLink[]): RelayRules {
  const bytes = readConfigFile(file, { called: "the rules", optional: false }) ?? new Uint8Array(0);
  const raw = parseYaml(bytes, file);
  if (raw.kind === "text" || raw.kind === "list")
    throw configError([{ origin: raw.origin, text: 'must be keys and values, such as "rules:"' }]);
  const result = relayRulesSchema.safeParse(toPlain(raw) ?? {});
  if (!result.success) throw configError(toProblems(result.error, raw, configJsonSchema(relayRulesSchema)));
  const problems = links === undefined ? [] : unknownLinks(result.data.rules, links);
  if (problems.length === 0) return result.data;
  throw configError(
    problems.map(({ path, message }) => {
      const [index, key, at] = path;
      return { origin: findRaw(raw, ["rules", ...path]).node.origin, text: `rules[${index}].${key}[${at}] ${message}` };
    }),
  );
}
