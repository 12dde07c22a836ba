/** `aerial relay trace`. */
import type { TraceLine } from "../api/contract/types.ts";
import { AerialError } from "../core/errors.ts";
import { printableJson } from "../core/printable.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";
import { formatTraceLine } from "./format-relay.ts";
import { toQuery } from "./query.ts";
import { parseOutputFormat } from "./structured-output.ts";

/** Shows packets until interrupted, which is how it is meant to end. Throws `api.unreachable` when the daemon goes. */
export async function runRelayTraceCommand(invocation: Invocation): Promise<number> {
  const { terminal, capabilities } = invocation;
  const format = parseOutputFormat(textOption(invocation, "output"), ["table", "json"]);
  const names = ["link", "service", "verdict"] as const;
  const query = toQuery(Object.fromEntries(names.map((name) => [name, textOption(invocation, name)])));
  const client = createDaemonClient(invocation);
  const stop = capabilities.untilInterrupted();
  for await (const text of client.lines(`/api/v1/relay/trace${query}`, stop)) {
    const line = JSON.parse(text) as TraceLine;
    if (line.type === "heartbeat") continue;
    terminal.line(format === "json" ? printableJson(text) : formatTraceLine(line, terminal));
  }
  if (stop.aborted) return exitCodes.ok;
  throw new AerialError("api.unreachable", "the daemon has stopped");
}
