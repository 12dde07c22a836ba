/** `aerial devices`. */
import type { RadioList } from "../api/contract/types.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";
import { radioColumns, wideRadioColumns } from "./format-devices.ts";
import { formatStructured, parseOutputFormat } from "./structured-output.ts";
import { formatTable } from "./table.ts";

/** Lists the radios of the inventory, present or not. */
export async function runDevicesCommand(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const format = parseOutputFormat(textOption(invocation, "output"), ["table", "wide", "json", "yaml"]);
  const list = (await createDaemonClient(invocation).get("/api/v1/radios")) as RadioList;
  if (format === "json" || format === "yaml") {
    terminal.line(await formatStructured(list.radios, format));
    return exitCodes.ok;
  }
  if (!list.complete) terminal.errorLine("the daemon has not finished its first scan yet; this is what it remembers");
  if (list.radios.length === 0) {
    terminal.errorLine("no radios; `aerial scan` shows all devices");
    return exitCodes.ok;
  }
  const columns = format === "wide" ? wideRadioColumns : radioColumns;
  for (const line of formatTable(columns, list.radios, terminal)) terminal.line(line);
  return exitCodes.ok;
}
