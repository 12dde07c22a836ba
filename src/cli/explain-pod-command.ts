/** `aerial explain pod`. */
import type { RadioPodList } from "../api/contract/types.ts";
import { AerialError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { type Invocation, textOption } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";
import { explainPod, podKey } from "./format-pods.ts";
import { formatStructured, parseOutputFormat } from "./structured-output.ts";

/** Says what a pod asks for, what it was given, and why it does not run. A name without a namespace stands for all pods of that name. */
export async function runExplainPodCommand(invocation: Invocation): Promise<number> {
  const { terminal, positionals } = invocation;
  const format = parseOutputFormat(textOption(invocation, "output"), ["table", "json", "yaml"]);
  const [key = ""] = positionals;
  const { pods } = (await createDaemonClient(invocation).get("/api/v1/pods")) as RadioPodList;
  const meant = pods.filter((pod) => podKey(pod) === key || pod.name === key);
  if (meant.length === 0) throw new AerialError("pods.unknown", `no pod ${printable(key)} asks for a radio`);
  if (format !== "table") {
    terminal.line(await formatStructured(meant, format));
    return exitCodes.ok;
  }
  terminal.line(meant.map((pod) => explainPod(pod, terminal).join("\n")).join("\n\n"));
  return exitCodes.ok;
}
