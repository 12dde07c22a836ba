/** `aerial support-bundle`. */
import { createWriteStream, rmSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { AerialError, describeError, errnoOf, isAerialError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";
import { toQuery } from "./query.ts";

/** Of the process, whatever the terminal is. */
const standardOutput = 1;

/** Writes the archive as the daemon makes it; a file that is not whole does not stay. */
export async function runSupportBundleCommand(invocation: Invocation): Promise<number> {
  const { terminal, options } = invocation;
  const output = textOption(invocation, "output");
  if (output === "-" && terminal.columns !== undefined)
    throw new AerialError(
      "cli.usage",
      "support-bundle: an archive is nothing for a terminal; give --output FILE, or send it on with `> FILE`",
    );
  const query = toQuery({ names: options["hide-names"] === true ? "hide" : undefined });
  const { name, body } = await createDaemonClient(invocation).download(`/api/v1/support-bundle${query}`);
  if (output === "-") {
    await pipeline(body, createWriteStream("", { fd: standardOutput, autoClose: false }));
    return exitCodes.ok;
  }
  const file = output ?? name;
  await writeFile(file, body);
  terminal.line(`wrote ${printable(file)}; have a look through it before you pass it on`);
  return exitCodes.ok;
}

async function writeFile(file: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  // Not for others to read: it is redacted, but of a private house.
  const target = createWriteStream(file, { mode: 0o600 });
  let opened = false;
  target.once("open", () => {
    opened = true;
  });
  try {
    await pipeline(body, target);
  } catch (error) {
    if (opened) rmSync(file, { force: true });
    if (isAerialError(error)) throw error;
    throw new AerialError("cli.output", `cannot write ${printable(file)}: ${errnoOf(error) ?? describeError(error)}`, { cause: error });
  }
}
