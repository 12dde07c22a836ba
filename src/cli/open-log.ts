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
/** What else contains a serial number, wherever it stands in text: by-id names, with their directory or without, and radio ids. */
const secretTexts: readonly (readonly [pattern: RegExp, shown: string])[] = [
  [/(\/serial\/by-id\/)[^\s"',;]*[^\s"',;:.)]/g, `$1${redacted}`],
  [/(?<![\w.-])usb-[^\s"',;]+-if[0-9a-f]{2}(-port\d+)?/g, `usb-${redacted}`],
  [/(?<![\w.-])([0-9a-f]{4}-[0-9a-f]{4})-[\w.-]*\w/g, `$1-${redacted}`],
];
const deepest = 8;

/** The same data with serial numbers replaced. */
function redact(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > deepest) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Error) return { message: redact(value.message, depth), stack: redact(value.stack, depth) };
  if (value instanceof Map) return redact(Object.fromEntries(value), depth);
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [
      redactText(key),
      secretField.test(key) && typeof held === "string" ? redacted : redact(held, depth + 1),
    ]),
  );
}

function redactText(text: string): string {
  return secretTexts.reduce((safe, [pattern, shown]) => safe.replaceAll(pattern, shown), text);
}

/** `05:55:16.123 info  node labelled  labels=3`: for a person at a terminal. */
function formatText(line: string): string {
  const { level, time, msg, ...data } = JSON.parse(line) as Record<string, unknown>;
  const fields = Object.entries(data).map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${printable(`${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(msg)}${fields.length > 0 ? " " : ""}${fields.join("")}`)}\n`;
}
