/** What a command is, and what it is given. */
import type { DoctorReport } from "../core/check.ts";
import type { Log } from "../core/log.ts";
import type { RelayProtocol } from "../core/relay.ts";
import type { ConfigSource } from "../config/load-config.ts";
import type { Machine } from "../config/machine.ts";
import type { Config } from "../config/schema.ts";
import type { IdentifierDependencies } from "../plugins/identifier-dependencies.ts";
import type { Terminal } from "./terminal.ts";

export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** May be given several times; `listOption` has all its values. */
  readonly multiple?: true;
  /** How `--help` calls the value: `FILE`. */
  readonly placeholder?: string;
  readonly help: string;
}

export interface CommandSpec {
  /** One word, or several that belong together: `relay status`. */
  readonly name: string;
  readonly summary: string;
  /** What must follow the options, by the name `--help` gives it. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Further paragraphs of `--help`. */
  readonly notes?: string;
  /** Commands are loaded when run, so that none pays for another's dependencies. */
  load(): Promise<CommandRun>;
}

/** Resolves to the exit code; throws what ends it early. */
type CommandRun = (invocation: Invocation) => Promise<number>;

export interface Invocation {
  readonly options: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  readonly machine: Machine;
  readonly capabilities: Capabilities;
}

/** What only the composition root can put together. */
export interface Capabilities {
  /** Runs the daemon until the signal aborts and everything is closed. Reads `source` again when it changes, and at SIGHUP. */
  runDaemon(deps: { readonly config: Config; readonly source: ConfigSource; readonly log: Log }, signal: AbortSignal): Promise<void>;
  /** Takes back from the cluster all that aerial has written for this node; a sentence for each thing removed. */
  withdraw(deps: { readonly config: Config; readonly log: Log }, signal: AbortSignal): Promise<readonly string[]>;
  /** Relays between links, and does nothing else, until the signal aborts and everything is closed. Rules are read as above. */
  runRelay(deps: RelayAlone, signal: AbortSignal): Promise<void>;
  builtInPlugins(): Promise<IdentifierDependencies["builtIn"]>;
  /** Examines this machine without a daemon. */
  examine(deps: { readonly config: Config; readonly log: Log }, signal: AbortSignal): Promise<LocalExamination>;
  /**
   * Aborts at the first SIGINT, SIGTERM or SIGHUP; the second ends the process. Without it the first one does. What runs the
   * daemon or a relay takes SIGHUP for itself, but where it tells that the terminal is gone.
   */
  untilInterrupted(): AbortSignal;
}

interface LocalExamination {
  readonly report: DoctorReport;
  /** A Talos machine-config patch, in YAML. */
  patch(version?: "1.12" | "1.13" | "1.14"): Promise<string>;
}

/** A relay as the command line describes it. */
export interface RelayAlone {
  /** Interfaces, or patterns with `*` for several. */
  readonly links: readonly string[];
  readonly protocols: readonly RelayProtocol[];
  /** A file of rules that can be read; without, the built-in defaults hold. */
  readonly rulesFile?: string;
  /** Whether hosts that send too much are held back. */
  readonly limits: boolean;
  readonly log: Log;
}

/** A string option's value. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === "string" ? value : undefined;
}

/** The values of a string option that may be given several times, in their order. */
export function listOption(invocation: Invocation, name: string): readonly string[] {
  const values = invocation.options[name];
  return Array.isArray(values) ? values.filter((value): value is string => typeof value === "string") : [];
}
