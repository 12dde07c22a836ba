/** The newest lines of the daemon's own log, kept for whoever looks for the cause of something. */
import { type Clock, timestamp } from "./clock.ts";
import type { Log } from "./log.ts";

export interface RecentLog {
  /** Hands on all it is given, and keeps what is more than `debug`. */
  readonly log: Log;
  /** One JSON object each, oldest first. */
  readonly lines: () => readonly string[];
}

const mostLines = 500;
/** Longer ones are cut, so that the whole is bounded. */
const longestLine = 2_048;

export function keepRecentLog(log: Log, clock: Clock): RecentLog {
  let kept: string[] = [];
  const keep = (level: string, data: object, message: string): void => {
    const line = write({ time: timestamp(clock), level, message, ...data });
    kept.push(line.length > longestLine ? write({ time: timestamp(clock), level, message, cut: line.slice(0, longestLine / 2) }) : line);
    // Seldom, since it moves them all.
    if (kept.length >= 2 * mostLines) kept = kept.slice(-mostLines);
  };
  const both =
    (level: "info" | "warn" | "error") =>
    (data: object, message: string): void => {
      log[level](data, message);
      keep(level, data, message);
    };
  return {
    log: { debug: (data, message) => log.debug(data, message), info: both("info"), warn: both("warn"), error: both("error") },
    lines: () => kept.slice(-mostLines),
  };
}

function write(line: object): string {
  try {
    return JSON.stringify(line);
  } catch {
    return JSON.stringify({ message: "a line that cannot be written as JSON" });
  }
}
