/** The daemon's log: pino on standard output, JSON for machines, text for people, and never a serial number. */
import { pino } from "pino";
import type { Log } from "../core/log.ts";
import { printable } from "../core/printable.ts";

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "json" | "text";
  /** Takes whole lines. */
  readonly write: (line: string) => void;
}

/** Written at once, so that the last lines before an exit are not lost. */
export function createLog({ level, format, write }: LogOptions): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (data) => redact(data, 0) as Record<string, unknown> },
    },
    { write: format === "json" ? write : (line) => write(formatText(line)) },
  );
}

const redacted = "[redacted]";
/** Names of fields that hold a serial number, or a by-id name, which contains one. */
const secretField = /^(usb)?serial(number)?$|^byid$/i;
/** By-id names wherever they stand in text. */
const byIdName = /(\/serial\/by-id\/)[^\s"',;]*[^\s"',;:.)]/g;
const deepest = 8;

/** The same data with serial numbers replaced. */
function redact(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.replaceAll(byIdName, `$1${redacted}`);
  if (typeof value !== "object" || value === null) return value;
  if (depth > deepest) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Error) return { message: redact(value.message, depth), stack: redact(value.stack, depth) };
  if (value instanceof Map) return redact(Object.fromEntries(value), depth);
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [
      key,
      secretField.test(key) && typeof held === "string" ? redacted : redact(held, depth + 1),
    ]),
  );
}

/** `05:55:16.123 info  node labelled  labels=3`: for a person at a terminal. */
function formatText(line: string): string {
  const { level, time, msg, ...data } = JSON.parse(line) as Record<string, unknown>;
  const fields = Object.entries(data).map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${printable(`${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(msg)}${fields.length > 0 ? " " : ""}${fields.join("")}`)}\n`;
}
