/** `aerial run`. */
import { loadConfig } from "../config/load-config.ts";
import { type Invocation, textOption } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { createLog } from "./open-log.ts";

/** Runs the daemon until it is told to stop. */
export async function runDaemonCommand(invocation: Invocation): Promise<number> {
  const { terminal, machine, capabilities } = invocation;
  const file = textOption(invocation, "config");
  const loaded = loadConfig({ machine, ...(file === undefined ? {} : { file }) });
  const { level, format } = loaded.config.log;
  const isTerminal = terminal.columns !== undefined;
  const log = createLog({
    level,
    format: format === "auto" ? (isTerminal ? "text" : "json") : format,
    write: (line) => terminal.write(line),
  });
  log.info({ file: loaded.file ?? "none", node: loaded.config.node.name }, "configuration read");
  const stop = capabilities.untilInterrupted();
  try {
    await capabilities.runDaemon({ config: loaded.config, source: loaded.source, log }, stop);
  } catch (error) {
    // Told to stop while it was still starting: that is no failure.
    if (!stop.aborted || error !== stop.reason) throw error;
  }
  return exitCodes.ok;
}
