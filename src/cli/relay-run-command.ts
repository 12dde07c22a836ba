/** `aerial relay run`. */
import { accessSync, constants } from "node:fs";
import { quoted } from "../config/config-problem.ts";
import { nearest } from "../config/nearest.ts";
import { AerialError, errnoOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import type { RelayProtocol } from "../core/relay.ts";
import { type Invocation, listOption, type RelayAlone, textOption } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { createLog } from "./open-log.ts";

const protocols = { mdns: true, ssdp: true, wsd: true, sonos: true } satisfies Record<RelayProtocol, true>;

/** IFNAMSIZ less the NUL (include/uapi/linux/if.h); a pattern needs no more. */
const longestName = 15;

/** Relays until told to stop. */
export async function runRelayRunCommand(invocation: Invocation): Promise<number> {
  const { terminal, capabilities } = invocation;
  const rulesFile = textOption(invocation, "rules");
  const described: Omit<RelayAlone, "log"> = {
    links: parseLinks(listOption(invocation, "link")),
    protocols: parseProtocols(textOption(invocation, "protocols") ?? "mdns,ssdp"),
    limits: invocation.options["no-limits"] !== true,
    ...(rulesFile === undefined ? {} : { rulesFile: readable(rulesFile) }),
  };
  const isTerminal = terminal.columns !== undefined;
  const log = createLog({ level: "info", format: isTerminal ? "text" : "json", write: (line) => terminal.write(line) });
  const stop = capabilities.untilInterrupted();
  try {
    await capabilities.runRelay({ ...described, log }, stop);
  } catch (error) {
    // Told to stop while it was still starting: that is no failure.
    if (!stop.aborted || error !== stop.reason) throw error;
  }
  return exitCodes.ok;
}

function parseLinks(links: readonly string[]): readonly string[] {
  const wrong = links.find((link) => !/^[^\s/:]+$/.test(link) || link.length > longestName);
  if (wrong !== undefined) throw usage(`${quoted(wrong)} is no name of an interface`);
  const twice = links.find((link, index) => links.indexOf(link) !== index);
  if (twice !== undefined) throw usage(`--link ${quoted(twice)} is there twice`);
  if (links.length < 2 && !links.some((link) => link.includes("*"))) throw usage("two links or more are needed: --link NAME --link NAME");
  return links;
}

function parseProtocols(list: string): readonly RelayProtocol[] {
  const words = [...new Set(list.split(",").map((word) => word.trim().toLowerCase()))];
  return words.map((word) => {
    if (isProtocol(word)) return word;
    const meant = nearest(word, Object.keys(protocols));
    throw usage(
      `unknown protocol ${quoted(word)}; ${meant === undefined ? `there are ${Object.keys(protocols).join(", ")}` : `did you mean "${meant}"?`}`,
    );
  });
}

function isProtocol(word: string): word is RelayProtocol {
  return Object.hasOwn(protocols, word);
}

/** Asked here, so that a mistyped path is said before anything is opened. */
function readable(file: string): string {
  try {
    accessSync(file, constants.R_OK);
    return file;
  } catch (error) {
    throw new AerialError("config.unreadable", `the rules in ${printable(file)} cannot be read (${errnoOf(error) ?? "unknown"})`, {
      cause: error,
    });
  }
}

function usage(text: string): AerialError {
  return new AerialError("cli.usage", `relay run: ${text}`);
}
