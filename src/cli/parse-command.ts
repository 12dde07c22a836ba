/** Arguments → a command with its options. */
import { parseArgs } from "node:util";
import { AerialError } from "../core/errors.ts";
import { quoted } from "../config/config-problem.ts";
import { nearest } from "../config/nearest.ts";
import type { CommandSpec, Invocation } from "./command.ts";
import { helpOption } from "./options.ts";

export type ParsedCommand =
  | { readonly kind: "help"; readonly command?: CommandSpec }
  | ({ readonly kind: "run"; readonly command: CommandSpec } & Pick<Invocation, "options" | "positionals">);

/**
 * Finds the command in the arguments after the program's name.
 * @throws AerialError `cli.usage`
 */
export function parseCommand(commands: readonly CommandSpec[], argv: readonly string[]): ParsedCommand {
  const [name, ...rest] = argv;
  if (name === undefined) throw new AerialError("cli.usage", "which command?");
  if (name === "--help" || name === "-h") return { kind: "help" };
  if (name === "help") return rest[0] === undefined ? { kind: "help" } : { kind: "help", command: findCommand(commands, rest[0]) };
  const command = findCommand(commands, name === "--version" ? "version" : name);
  const options = { ...command.options, help: helpOption };
  const { values, positionals, tokens } = parseArgs({ args: rest, options, strict: false, allowPositionals: true, tokens: true });
  if (values["help"] === true) return { kind: "help", command };
  for (const token of tokens) {
    if (token.kind === "option") checkOption(command, { ...token, options });
  }
  const missing = command.positionals[positionals.length];
  if (missing !== undefined) throw new AerialError("cli.usage", `${command.name} needs ${missing}; see \`aerial ${command.name} --help\``);
  const surplus = positionals[command.positionals.length];
  if (surplus !== undefined) throw new AerialError("cli.usage", `${command.name} does not take ${quoted(surplus)}`);
  return { kind: "run", command, options: values, positionals };
}

function findCommand(commands: readonly CommandSpec[], name: string): CommandSpec {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  const meant = nearest(
    name,
    commands.map((command) => command.name),
  );
  throw new AerialError("cli.usage", `unknown command ${quoted(name)}${meant === undefined ? "" : `; did you mean "${meant}"?`}`);
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly options: CommandSpec["options"];
}

function checkOption(command: CommandSpec, { name, rawName, value, options }: OptionToken): void {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) {
    const meant = nearest(name, Object.keys(options));
    const hint = meant === undefined ? `see \`aerial ${command.name} --help\`` : `did you mean "--${meant}"?`;
    throw new AerialError("cli.usage", `${command.name}: unknown option ${quoted(rawName)}; ${hint}`);
  }
  if (option.type === "string" && value === undefined) {
    throw new AerialError("cli.usage", `${command.name}: ${rawName} needs a value: ${option.placeholder ?? "VALUE"}`);
  }
  if (option.type === "boolean" && value !== undefined) throw new AerialError("cli.usage", `${command.name}: ${rawName} takes no value`);
}
