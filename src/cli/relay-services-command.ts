/** `aerial relay services`. */
import { systemClock } from "../core/clock.ts";
import type { SeenService } from "../core/relay.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";
import { serviceColumns, sortServices, wideServiceColumns } from "./format-relay.ts";
import { toQuery } from "./query.ts";
import { formatStructured, parseOutputFormat } from "./structured-output.ts";
import { formatTable } from "./table.ts";

/** Lists what the relay has heard of and not yet forgotten. */
export async function runRelayServicesCommand(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const format = parseOutputFormat(textOption(invocation, "output"), ["table", "wide", "json", "yaml"]);
  const query = toQuery({ service: textOption(invocation, "service"), link: textOption(invocation, "link") });
  const services = sortServices((await createDaemonClient(invocation).get(`/api/v1/relay/services${query}`)) as readonly SeenService[]);
  if (format === "json" || format === "yaml") {
    terminal.line(await formatStructured(services, format));
    return exitCodes.ok;
  }
  if (services.length === 0) {
    terminal.errorLine("no services; `aerial relay trace` shows whether anything is heard at all");
    return exitCodes.ok;
  }
  const columns = (format === "wide" ? wideServiceColumns : serviceColumns)(systemClock.now());
  for (const line of formatTable(columns, services, terminal)) terminal.line(line);
  return exitCodes.ok;
}
