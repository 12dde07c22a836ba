/** The log of short commands: warnings and errors on standard error, nothing else. */
import type { Log } from "../core/log.ts";
import { printable } from "../core/printable.ts";
import type { Terminal } from "./terminal.ts";

export function createTerminalLog(terminal: Terminal): Log {
  const show = (data: object, message: string): void => {
    const { err } = data as { err?: unknown };
    terminal.errorLine(printable(typeof err === "string" ? `${message}: ${err}` : message));
  };
  return { debug() {}, info() {}, warn: show, error: show };
}
