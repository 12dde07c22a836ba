/** File, then environment, then defaults: one checked configuration. */
import { printable } from "../core/printable.ts";
import { socketPathBytes } from "./api-schema.ts";
import { configError } from "./config-problem.ts";
import { readEnvironment } from "./environment.ts";
import { resolveConfig, thisMachine, type Machine } from "./machine.ts";
import { parseYaml } from "./parse-yaml.ts";
import { readConfigFile } from "./read-config-file.ts";
import { mergeRaw, type RawNode } from "./raw-config.ts";
import type { Config } from "./schema.ts";
import { validateConfig } from "./validate-config.ts";

/** Read when it exists and no other file is named. */
const defaultConfigFile = "/etc/aerial/config.yaml";

export interface LoadedConfig {
  readonly config: Config;
  /** The file it came from; undefined when there was none and defaults and environment were enough. */
  readonly file?: string;
  readonly source: ConfigSource;
}

/** Where the configuration comes from, for those who look at it again. */
export interface ConfigSource {
  /** The file, or where one would be read if it were there. */
  readonly file: string;
  /** What the file and the environment say now. Throws as `loadConfig` does, and where the file was there before and is not now. */
  read(): Config;
}

/**
 * Loads the configuration from `file`, else from the file that `AERIAL_CONFIG` names, else from /etc/aerial/config.yaml if
 * there is one. `AERIAL__…` variables win over the file.
 * @throws AerialError `config.unreadable` or `config.invalid`; the latter's message names file, line and column of each mistake.
 */
export function loadConfig(options: { readonly file?: string; readonly machine?: Machine } = {}): LoadedConfig {
  const machine = options.machine ?? thisMachine();
  const named = options.file ?? (machine.environment["AERIAL_CONFIG"] || undefined);
  const file = named ?? defaultConfigFile;
  const bytes = readConfigFile(file, { called: "the configuration", optional: named === undefined });
  const empty: RawNode = { kind: "empty", origin: { source: file, line: 1, column: 1 } };
  const written = bytes === undefined ? empty : parseYaml(bytes, file);
  if (written.kind === "text" || written.kind === "list") {
    throw configError([{ origin: written.origin, text: "must be keys and values, such as `scan:`" }]);
  }
  const overrides = readEnvironment(machine.environment);
  const config = resolveConfig(validateConfig(written.kind === "empty" ? overrides : mergeRaw(written, overrides)), machine);
  if (Buffer.byteLength(config.api.socket) > socketPathBytes) {
    throw configError([
      {
        origin: { source: "api.socket" },
        text: `the default ${printable(config.api.socket)} is longer than ${socketPathBytes} bytes; set api.socket`,
      },
    ]);
  }
  // A file that was there and is not now is being replaced; it does not say that all has its default.
  const again = bytes === undefined ? options : { ...options, file };
  const source = { file, read: () => loadConfig(again).config };
  return bytes === undefined ? { config, source } : { config, file, source };
}
