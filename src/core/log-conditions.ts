/** Conditions as they come, change and go, a line each. */
import type { Condition, Conditions } from "./condition.ts";
import type { Log } from "./log.ts";

/** Writes until the signal aborts. */
export async function logConditions(conditions: Conditions, log: Log, signal: AbortSignal): Promise<void> {
  let known: ReadonlyMap<string, Condition> = new Map();
  for await (const current of conditions.changes(signal)) {
    for (const [code, { severity, text }] of current) {
      const before = known.get(code);
      if (before?.text !== text || before.severity !== severity) write(log, severity)({ code, text }, "condition");
    }
    for (const code of known.keys()) if (!current.has(code)) log.info({ code }, "condition is over");
    known = current;
  }
}

function write(log: Log, severity: Condition["severity"]): (data: object, message: string) => void {
  if (severity === "info") return (data, message) => log.info(data, message);
  return severity === "warning" ? (data, message) => log.warn(data, message) : (data, message) => log.error(data, message);
}
