/** `aerial cleanup`. */
import { loadConfig } from "../config/load-config.ts";
import { AerialError } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import { type Invocation, textOption } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { createTerminalLog } from "./terminal-log.ts";

/** Removes from the cluster what aerial has written for this node, and says what that was. */
export async function runCleanupCommand(invocation: Invocation): Promise<number> {
  const { terminal, machine, capabilities } = invocation;
  const file = textOption(invocation, "config");
  const { config } = loadConfig({ machine, ...(file === undefined ? {} : { file }) });
  if (!config.kubernetes.enabled) {
    throw new AerialError(
      "kube.config",
      "there is no cluster to clean up: kubernetes.enabled is false, or auto outside a pod and without kubeconfig",
    );
  }
  const removed = await capabilities.withdraw({ config, log: createTerminalLog(terminal) }, capabilities.untilInterrupted());
  for (const sentence of removed) terminal.line(printable(sentence));
  if (removed.length === 0) terminal.line(`nothing of aerial's was found on node ${printable(config.node.name)}`);
  return exitCodes.ok;
}
