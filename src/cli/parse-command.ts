/** Arguments → a command with its options. */
import { parseArgs } from "node:util";
import { AerialError } from "../core/errors.ts";
import { quoted } from "../config/config-problem.ts";
import { nearest } from "../config/nearest.ts";
import type { CommandSpec, Invocation } from "./command.ts";
import { helpOption } from "./options.ts";

export type ParsedCommand =
  | { readonly kind: "help"; readonly command?: CommandSpec }
  /** Commands that share a first word: `relay`. */
  | { readonly kind: "help"; readonly group: string }
  | ({ readonly kind: "run"; readonly command: CommandSpec } & Pick<Invocation, "options" | "positionals">);

/**
 * Finds the command in the arguments after the program's name.
 * @throws AerialError `cli.usage`
 */
export function parseCommand(commands: readonly CommandSpec[], argv: readonly string[]): ParsedCommand {
  const [first, ...others] = argv;
  if (first === "help") return others.length === 0 ? { kind: "help" } : toHelp(findCommand(commands, others));
  const found = findCommand(commands, first === "--version" ? ["version", ...others] : argv);
  if (!("command" in found)) {
    if (found.rest[0] === undefined || !isHelp(found.rest[0])) throw incomplete(commands, found.group);
    return toHelp(found);
  }
  const { command, rest } = found;
  const options = { ...command.options, help: helpOption };
  const { values, positionals, tokens } = parseArgs({ args: [...rest], options, strict: false, allowPositionals: true, tokens: true });
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

/** What the words name, and what follows: a command, or the words that several begin with (none: all do). */
type Found = { readonly rest: readonly string[] } & ({ readonly command: CommandSpec } | { readonly group: string });

function findCommand(commands: readonly CommandSpec[], words: readonly string[]): Found {
  let group = "";
  for (const [index, word] of words.entries()) {
    if (isHelp(word)) return { group, rest: words.slice(index) };
    const name = joinWords(group, word);
    const command = commands.find((candidate) => candidate.name === name);
    const longer = joinWords(name, words[index + 1] ?? "");
    const isMore = command !== undefined && commands.some((candidate) => candidate.name === longer);
    if (command !== undefined && !isMore) return { command, rest: words.slice(index + 1) };
    const known = nextWords(commands, group);
    if (!known.includes(word)) {
      const meant = nearest(word, known);
      const hint = meant === undefined ? "" : `; did you mean "${joinWords(group, meant)}"?`;
      throw new AerialError("cli.usage", `unknown command ${quoted(name)}${hint}`);
    }
    group = name;
  }
  return { group, rest: [] };
}

function toHelp(found: Found): ParsedCommand {
  if ("command" in found) return { kind: "help", command: found.command };
  return found.group === "" ? { kind: "help" } : { kind: "help", group: found.group };
}

function incomplete(commands: readonly CommandSpec[], group: string): AerialError {
  if (group === "") return new AerialError("cli.usage", "which command?");
  return new AerialError(
    "cli.usage",
    `which command: ${nextWords(commands, group)
      .map((word) => joinWords(group, word))
      .join(", ")}?`,
  );
}

/** The words that may come after those of the group. */
function nextWords(commands: readonly CommandSpec[], group: string): readonly string[] {
  const start = group === "" ? "" : `${group} `;
  return [
    ...new Set(commands.filter(({ name }) => name.startsWith(start)).map(({ name }) => name.slice(start.length).split(" ")[0] ?? "")),
  ];
}

function joinWords(group: string, word: string): string {
  return group === "" ? word : `${group} ${word}`;
}

function isHelp(word: string): boolean {
  return word === "--help" || word === "-h";
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
