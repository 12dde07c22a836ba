import { describe, expect, test } from "vitest";
import { hasCode } from "../core/errors.ts";
import { commands } from "./commands.ts";
import { exitCodeOf, exitCodes } from "./exit-code.ts";
import { formatCommandHelp, formatHelp } from "./help.ts";
import { parseCommand } from "./parse-command.ts";

const complaint = (...argv: string[]): string => {
  try {
    parseCommand(commands, argv);
  } catch (error) {
    if (hasCode(error, "cli.usage")) return error.message;
    throw error;
  }
  return "no complaint";
};

describe("arguments", () => {
  test.each([
    [[], "which command?"],
    [["scna"], 'unknown command "scna"; did you mean "scan"?'],
    [["frobnicate"], 'unknown command "frobnicate"'],
    [["\u001b[31m"], 'unknown command "\\u{1b}[31m"'],
    [["scan", "--rooot", "/"], 'scan: unknown option "--rooot"; did you mean "--root"?'],
    [["scan", "--__proto__"], 'scan: unknown option "--__proto__"; see `aerial scan --help`'],
    [["scan", "-x"], 'scan: unknown option "-x"; see `aerial scan --help`'],
    [["devices", "-o"], "devices: -o needs a value: FORMAT"],
    [["devices", "--output"], "devices: --output needs a value: FORMAT"],
    [["health", "--ready=yes"], "health: --ready takes no value"],
    [["explain"], "explain needs RADIO; see `aerial explain --help`"],
    [["devices", "attic"], 'devices does not take "attic"'],
  ])("%j: %s", (argv, message) => {
    expect(complaint(...argv)).toBe(message);
  });

  test("are a command with its options", () => {
    expect(parseCommand(commands, ["devices", "-o", "json", "--socket=/a"])).toMatchObject({
      kind: "run",
      command: { name: "devices" },
      options: { output: "json", socket: "/a" },
    });
    expect(parseCommand(commands, ["explain", "--", "-strange"])).toMatchObject({ positionals: ["-strange"] });
    expect(parseCommand(commands, ["--version"])).toMatchObject({ kind: "run", command: { name: "version" } });
  });

  test.each([["--help"], ["-h"], ["help"]])("%s asks for help", (...argv) => {
    expect(parseCommand(commands, argv)).toEqual({ kind: "help" });
  });

  test.each([
    ["scan", "--help"],
    ["scan", "-h"],
    ["help", "scan"],
    ["explain", "--help"],
  ])("%s %s asks for help with a command", (...argv) => {
    expect(parseCommand(commands, argv)).toMatchObject({
      kind: "help",
      command: { name: expect.stringMatching(/scan|explain/) as string },
    });
  });
});

test("help names every command, option and exit code", () => {
  const help = formatHelp(commands);
  for (const { name } of commands) expect(help).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
  for (const code of Object.values(exitCodes)) expect(help).toMatch(new RegExp(`\\b${code} `));
  for (const command of commands) {
    const text = formatCommandHelp(command);
    for (const option of Object.keys(command.options)) expect(text).toContain(`--${option}`);
  }
});

test("an error that nobody foresaw is internal", () => {
  expect(exitCodeOf(new TypeError("x"))).toBe(70);
  expect(exitCodeOf("x")).toBe(70);
});
