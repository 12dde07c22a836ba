import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { thisMachine } from "../config/machine.ts";
import { hasCode } from "../core/errors.ts";
import type { Capabilities, Invocation, RelayAlone } from "./command.ts";
import { commands } from "./commands.ts";
import { parseCommand } from "./parse-command.ts";
import { runRelayRunCommand } from "./relay-run-command.ts";
import { createTerminal } from "./terminal.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "aerial-relay-run-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const unused = (): never => {
  throw new TypeError("not this one");
};

/** Runs the command on these arguments; `relay` is what stands in for the relay. */
async function run(argv: readonly string[], relay: Capabilities["runRelay"] = () => Promise.resolve(), stop = new AbortController()) {
  const parsed = parseCommand(commands, ["relay", "run", ...argv]);
  if (parsed.kind === "help") return unused();
  let described: RelayAlone | undefined;
  let written = "";
  const stdout = { write: (text: string) => (written += text) };
  const invocation: Invocation = {
    options: parsed.options,
    positionals: parsed.positionals,
    terminal: createTerminal({ stdout, stderr: stdout, environment: {} }),
    machine: thisMachine(),
    capabilities: {
      runDaemon: unused,
      withdraw: unused,
      examine: unused,
      builtInPlugins: unused,
      untilInterrupted: () => stop.signal,
      runRelay(deps, signal) {
        described = deps;
        return relay(deps, signal);
      },
    },
  };
  const code = await runRelayRunCommand(invocation);
  return { code, described, written };
}

test("what is not said has its default", async () => {
  const { code, described } = await run(["--link", "eth0.10", "--link", "eth0.40"]);
  expect(code).toBe(0);
  expect(described).toMatchObject({ links: ["eth0.10", "eth0.40"], protocols: ["mdns", "ssdp"], limits: true });
  expect(described).not.toHaveProperty("rulesFile");
});

test("everything can be said", async () => {
  const file = join(directory, "rules.yaml");
  writeFileSync(file, "[]\n");
  const { described } = await run(["-l", "br-*", "-p", "mdns, SSDP,wsd,sonos,mdns", "--rules", file, "--no-limits"]);
  expect(described).toMatchObject({ links: ["br-*"], protocols: ["mdns", "ssdp", "wsd", "sonos"], limits: false, rulesFile: file });
});

describe("wrong usage is said before anything is opened", () => {
  test.each([
    [[], "relay run: two links or more are needed: --link NAME --link NAME"],
    [["--link", "a"], "relay run: two links or more are needed: --link NAME --link NAME"],
    [["--link", "a", "--link", "a"], 'relay run: --link "a" is there twice'],
    [["--link", "a", "--link", "sixteen-letters-"], 'relay run: "sixteen-letters-" is no name of an interface'],
    [["--link", "a", "--link", "b\u001b/"], 'relay run: "b\\u{1b}/" is no name of an interface'],
    [["--link", "a", "--link="], 'relay run: "" is no name of an interface'],
    [["--link", "a", "--link", "b", "-p", "mdsn"], 'relay run: unknown protocol "mdsn"; did you mean "mdns"?'],
    [["--link", "a", "--link", "b", "-p", ""], 'relay run: unknown protocol ""; there are mdns, ssdp, wsd, sonos'],
    [["--link", "a", "--link", "b", "-p", "toString"], 'relay run: unknown protocol "tostring"; there are mdns, ssdp, wsd, sonos'],
  ])("%j", async (argv, message) => {
    await expect(run(argv, unused)).rejects.toSatisfy((error) => hasCode(error, "cli.usage") && error.message === message);
  });

  test("rules that cannot be read", async () => {
    const file = join(directory, "none.yaml");
    await expect(run(["-l", "a", "-l", "b", "-r", file], unused)).rejects.toSatisfy(
      (error) => hasCode(error, "config.unreadable") && error.message === `the rules in ${file} cannot be read (ENOENT)`,
    );
  });
});

test("told to stop while it starts is no failure; anything else is", async () => {
  const stop = new AbortController();
  const stopped = (): Promise<void> => {
    stop.abort(new TypeError("stop"));
    return Promise.reject(stop.signal.reason as Error);
  };
  expect(await run(["-l", "a", "-l", "b"], stopped, stop)).toMatchObject({ code: 0 });
  await expect(run(["-l", "a", "-l", "b"], () => Promise.reject(new TypeError("bug")))).rejects.toThrow("bug");
});

test("it logs lines of JSON where no person looks", async () => {
  const { written } = await run(["-l", "a", "-l", "b"], ({ log }) => Promise.resolve(log.info({ link: "a" }, "link is up")));
  expect(JSON.parse(written)).toMatchObject({ level: "info", link: "a", msg: "link is up" });
});
