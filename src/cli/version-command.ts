/** `aerial version`. */
import type { Invocation } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { readVersion } from "./version.ts";

/** Prints aerial's version and Node's. */
export function runVersionCommand({ terminal }: Invocation): Promise<number> {
  terminal.line(`aerial ${readVersion()} (Node ${process.versions.node})`);
  return Promise.resolve(exitCodes.ok);
}
