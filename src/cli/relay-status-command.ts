/** `aerial relay status`. */
import type { RelayStatus } from "../core/relay.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";
import { formatRelayStatus } from "./format-relay.ts";
import { formatStructured, parseOutputFormat } from "./structured-output.ts";

/** Says how each link and pair of links stands, what became of the packets, and which rules were asked. */
export async function runRelayStatusCommand(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const format = parseOutputFormat(textOption(invocation, "output"), ["table", "json", "yaml"]);
  const status = (await createDaemonClient(invocation).get("/api/v1/relay")) as RelayStatus;
  if (format === "table") for (const line of formatRelayStatus(status, terminal)) terminal.line(line);
  else terminal.line(await formatStructured(status, format));
  return exitCodes.ok;
}
