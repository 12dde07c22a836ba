/** `aerial health`: for people and for container probes. */
import type { Health } from "../api/contract/types.ts";
import { printable } from "../core/printable.ts";
import type { Invocation } from "./command.ts";
import { createDaemonClient } from "./daemon-client.ts";
import { exitCodes } from "./exit-code.ts";

/** Exit code 0 when the daemon lives, or with `--ready` when it is ready; prints what is not as it should be. */
export async function runHealthCommand(invocation: Invocation): Promise<number> {
  const { terminal, options } = invocation;
  const { status, body } = await createDaemonClient(invocation).ask(options["ready"] === true ? "/readyz" : "/healthz");
  const health = body as Health;
  terminal.line(terminal.paint(health.status === "ok" ? "green" : "yellow", printable(health.status)));
  if (health.waitingFor.length > 0) terminal.line(`not ready: waiting for ${printable(health.waitingFor.join(", "))}`);
  for (const { severity, code, text, since } of health.conditions) terminal.line(printable(`${severity} ${code} since ${since}: ${text}`));
  return status === 200 ? exitCodes.ok : exitCodes.no;
}
