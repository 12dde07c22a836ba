/** Options that several commands share. */
import type { OptionSpec } from "./command.ts";

export const configOption: OptionSpec = {
  type: "string",
  short: "c",
  placeholder: "FILE",
  help: "configuration file (else $AERIAL_CONFIG, else /etc/aerial/config.yaml if there is one)",
};

const socketOption: OptionSpec = {
  type: "string",
  short: "s",
  placeholder: "PATH",
  help: "the daemon's unix socket (else as configured)",
};

export const outputOption = (formats: string): OptionSpec => ({ type: "string", short: "o", placeholder: "FORMAT", help: formats });

export const helpOption: OptionSpec = { type: "boolean", short: "h", help: "this text" };

/** What every command that asks the daemon takes. */
export const daemonOptions = { config: configOption, socket: socketOption } as const;
