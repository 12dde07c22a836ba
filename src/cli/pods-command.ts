/** `aerial pods`. */
import type { RadioPodList } from "../api/contract/types.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";
import { podColumns } from "./format-pods.ts";
import { formatStructured, parseOutputFormat } from "./structured-output.ts";
import { formatTable } from "./table.ts";

/** Lists the pods of the cluster that ask for radios. */
export async function runPodsCommand(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const format = parseOutputFormat(textOption(invocation, "output"), ["table", "json", "yaml"]);
  const { pods, complete } = (await createDaemonClient(invocation).get("/api/v1/pods")) as RadioPodList;
  if (format !== "table") {
    terminal.line(await formatStructured(pods, format));
    return exitCodes.ok;
  }
  if (!complete) terminal.errorLine("this is not all: there are more pods than aerial reads, or it may not read their claims");
  if (pods.length === 0) {
    terminal.errorLine("no pod asks for a radio; `aerial explain RADIO` says by which resource one is asked for");
    return exitCodes.ok;
  }
  for (const line of formatTable(podColumns, pods, terminal)) terminal.line(line);
  return exitCodes.ok;
}
