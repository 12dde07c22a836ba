/** `aerial explain`. */
import type { Explanation } from "../api/contract/types.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";
import { explainDevice, explainRadio } from "./format-explanation.ts";
import { formatStructured, parseOutputFormat } from "./structured-output.ts";

/** Says of everything the argument stands for what it is taken for, and why. */
export async function runExplainCommand(invocation: Invocation): Promise<number> {
  const { terminal, positionals } = invocation;
  const format = parseOutputFormat(textOption(invocation, "output"), ["table", "json", "yaml"]);
  const key = encodeURIComponent(positionals[0] ?? "");
  const explanation = (await createDaemonClient(invocation).get(`/api/v1/radios/${key}/explain`)) as Explanation;
  if (format === "json" || format === "yaml") {
    terminal.line(await formatStructured(explanation, format));
    return exitCodes.ok;
  }
  const { radios, others } = explanation;
  const blocks = [...radios.map((radio) => explainRadio(radio, terminal)), ...others.map((device) => explainDevice(device, terminal))];
  terminal.line(blocks.map((lines) => lines.join("\n")).join("\n\n"));
  return exitCodes.ok;
}
