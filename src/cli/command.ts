/** What a command is, and what it is given. */
import type { Log } from "../core/log.ts";
import type { Machine } from "../config/machine.ts";
import type { Config } from "../config/schema.ts";
import type { IdentifierDependencies } from "../plugins/identifier-dependencies.ts";
import type { Terminal } from "./terminal.ts";

export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** How `--help` calls the value: `FILE`. */
  readonly placeholder?: string;
  readonly help: string;
}

export interface CommandSpec {
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
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  readonly machine: Machine;
  readonly capabilities: Capabilities;
}

/** What only the composition root can put together. */
export interface Capabilities {
  /** Runs the daemon until the signal aborts and everything is closed. */
  runDaemon(deps: { readonly config: Config; readonly log: Log }, signal: AbortSignal): Promise<void>;
  /** Takes back from the cluster all that aerial has written for this node; a sentence for each thing removed. */
  withdraw(deps: { readonly config: Config; readonly log: Log }, signal: AbortSignal): Promise<readonly string[]>;
  builtInPlugins(): Promise<IdentifierDependencies["builtIn"]>;
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP; the second ends the process. Without it the first one does. */
  untilInterrupted(): AbortSignal;
}

/** A string option's value. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === "string" ? value : undefined;
}
