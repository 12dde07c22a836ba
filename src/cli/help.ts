/** `--help`. */
import type { CommandSpec, OptionSpec } from "./command.ts";
import { exitCodeHelp } from "./exit-code.ts";
import { helpOption } from "./options.ts";

/** Help for `aerial` itself. */
export function formatHelp(commands: readonly CommandSpec[]): string {
  return [
    "aerial makes every radio plugged into this machine usable from the whole cluster.",
    "",
    "Usage: aerial COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...listCommands(commands),
    "",
    "`aerial COMMAND --help` says more. Configuration: --config FILE, $AERIAL_CONFIG or /etc/aerial/config.yaml.",
    "",
    exitCodeHelp,
  ].join("\n");
}

/** Help for the commands that begin with the same words. */
export function formatGroupHelp(group: string, commands: readonly CommandSpec[]): string {
  return [
    `Usage: aerial ${group} COMMAND [OPTIONS]`,
    "",
    "Commands:",
    ...listCommands(commands.filter(({ name }) => name.startsWith(`${group} `))),
    "",
    `\`aerial ${group} COMMAND --help\` says more.`,
  ].join("\n");
}

function listCommands(commands: readonly CommandSpec[]): readonly string[] {
  const names = commands.map(({ name, positionals }) =>
    [name, ...positionals.map((positional) => `<${positional.toLowerCase()}>`)].join(" "),
  );
  const width = Math.max(...names.map((name) => name.length));
  return commands.map(({ summary }, index) => `  ${(names[index] ?? "").padEnd(width)}  ${summary}`);
}

/** Help for one command. */
export function formatCommandHelp(command: CommandSpec): string {
  const options = Object.entries({ ...command.options, help: helpOption }).map(
    ([name, option]) => [optionName(name, option), option.multiple === true ? `${option.help}; may be repeated` : option.help] as const,
  );
  const width = Math.max(...options.map(([name]) => name.length));
  return [
    `aerial ${command.name}: ${command.summary}`,
    "",
    `Usage: ${["aerial", command.name, ...command.positionals, "[OPTIONS]"].join(" ")}`,
    "",
    "Options:",
    ...options.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`),
    ...(command.notes === undefined ? [] : ["", command.notes]),
    "",
    exitCodeHelp,
  ].join("\n");
}

function optionName(name: string, { short, placeholder }: OptionSpec): string {
  return `${short === undefined ? "    " : `-${short}, `}--${name}${placeholder === undefined ? "" : ` ${placeholder}`}`;
}
