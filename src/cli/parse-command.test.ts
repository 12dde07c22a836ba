import { describe, expect, test } from "vitest";
import { hasCode } from "../core/errors.ts";
import { commands } from "./commands.ts";
import { exitCodeOf, exitCodes } from "./exit-code.ts";
import { formatCommandHelp, formatGroupHelp, formatHelp } from "./help.ts";
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
    [["explain", "pod"], "explain pod needs NAMESPACE/NAME; see `aerial explain pod --help`"],
    [["explain", "attic", "pod"], 'explain does not take "pod"'],
    [["devices", "attic"], 'devices does not take "attic"'],
    [["relay"], "which command: relay status, relay services, relay trace, relay run?"],
    [["relay", "stauts"], 'unknown command "relay stauts"; did you mean "relay status"?'],
    [["rleay", "status"], 'unknown command "rleay"; did you mean "relay"?'],
    [["relay", "frobnicate"], 'unknown command "relay frobnicate"'],
    [["relay", "--socket", "status"], 'unknown command "relay --socket"'],
    [["status"], 'unknown command "status"'],
    [["relay", "status", "--sokcet=/a"], 'relay status: unknown option "--sokcet"; did you mean "--socket"?'],
    [["relay", "status", "run"], 'relay status does not take "run"'],
    [["relay", "run", "--link"], "relay run: --link needs a value: NAME"],
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
    expect(parseCommand(commands, ["explain", "pod", "home/z2m-0"])).toMatchObject({
      command: { name: "explain pod" },
      positionals: ["home/z2m-0"],
    });
    expect(parseCommand(commands, ["explain", "podium"])).toMatchObject({ command: { name: "explain" }, positionals: ["podium"] });
    expect(parseCommand(commands, ["--version"])).toMatchObject({ kind: "run", command: { name: "version" } });
    expect(parseCommand(commands, ["relay", "status", "-o", "json"])).toMatchObject({
      kind: "run",
      command: { name: "relay status" },
      options: { output: "json" },
    });
  });

  test("given again are all there", () => {
    const parsed = parseCommand(commands, ["relay", "run", "--link", "a", "-l", "b", "--no-limits", "--link=c"]);
    expect(parsed).toMatchObject({ kind: "run", options: { link: ["a", "b", "c"], "no-limits": true } });
  });

  test.each([
    ["relay", "--help"],
    ["relay", "-h"],
    ["help", "relay"],
  ])("%s %s asks for help with the commands that begin so", (...argv) => {
    expect(parseCommand(commands, argv)).toEqual({ kind: "help", group: "relay" });
  });

  test.each([["--help"], ["-h"], ["help"]])("%s asks for help", (...argv) => {
    expect(parseCommand(commands, argv)).toEqual({ kind: "help" });
  });

  test.each([
    ["scan", "--help"],
    ["scan", "-h"],
    ["help", "scan"],
    ["explain", "--help"],
    ["relay", "status", "--help"],
    ["help", "relay", "status"],
  ])("%s %s asks for help with a command", (...argv) => {
    expect(parseCommand(commands, argv)).toMatchObject({
      kind: "help",
      command: { name: expect.stringMatching(/^(scan|explain|relay status)$/) as string },
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

test("help with a group names its commands and no others", () => {
  expect(formatGroupHelp("relay", commands).match(/^ {2}\S+ \S+/gm)).toEqual([
    "  relay status",
    "  relay services",
    "  relay trace",
    "  relay run",
  ]);
});

test("help says which options may be repeated", () => {
  const run = commands.find(({ name }) => name === "relay run");
  expect(run && formatCommandHelp(run)).toMatch(/--link NAME .*; may be repeated$/m);
});

test("an error that nobody foresaw is internal", () => {
  expect(exitCodeOf(new TypeError("x"))).toBe(70);
  expect(exitCodeOf("x")).toBe(70);
});
