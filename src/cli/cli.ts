/** The command line: finds the command, runs it, and turns what ends it into words and an exit code. */
import { describeError, isAerialError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import type { Invocation } from "./command.ts";
import { commands } from "./commands.ts";
import { exitCodeOf, exitCodes } from "./exit-code.ts";
import { formatCommandHelp, formatGroupHelp, formatHelp } from "./help.ts";
import { parseCommand } from "./parse-command.ts";
import type { Terminal } from "./terminal.ts";

/** Runs `aerial` with the arguments after its name. Resolves to the exit code, never rejects. */
export async function runCli(argv: readonly string[], context: Omit<Invocation, "options" | "positionals">): Promise<number> {
  const { terminal } = context;
  try {
    const parsed = parseCommand(commands, argv);
    if (parsed.kind === "help") {
      if ("group" in parsed) terminal.line(formatGroupHelp(parsed.group, commands));
      else terminal.line(parsed.command === undefined ? formatHelp(commands) : formatCommandHelp(parsed.command));
      return exitCodes.ok;
    }
    const run = await parsed.command.load();
    return await run({ ...context, options: parsed.options, positionals: parsed.positionals });
  } catch (error) {
    printError(error, terminal);
    return exitCodeOf(error);
  }
}

/** Says what went wrong on standard error and, where known, what to do. A bug shows its stack. */
export function printError(error: unknown, terminal: Terminal): void {
  if (!isAerialError(error)) {
    const stack = error instanceof Error && error.stack !== undefined ? error.stack : describeError(error);
    terminal.errorLine(`aerial: this is a bug in aerial:\n${printableLines(stack)}`);
    return;
  }
  // Lines of a configuration error start with file:line:column, as editors expect.
  const prefix = error.code === "config.invalid" ? "" : "aerial: ";
  terminal.errorLine(prefix + printableLines(error.code === "config.invalid" ? error.message : describeError(error)));
  terminal.errorLine(printable(error.hint));
}

function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
