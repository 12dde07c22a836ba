import { expect, it } from "vitest";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { keepRecentLog } from "./recent-log.ts";

const clock: Clock = { now: () => 0, sleep: () => Promise.resolve() };

it("hands everything on and keeps the newest of what is more than debug", () => {
  const seen: string[] = [];
  const note = (level: string) => (_data: object, message: string) => void seen.push(`${level} ${message}`);
  const log: Log = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  const recent = keepRecentLog(log, clock);
  recent.log.debug({}, "a");
  recent.log.info({ radios: 2 }, "b");
  recent.log.warn({}, "c");
  recent.log.error({}, "d");
  expect(seen).toEqual(["debug a", "info b", "warn c", "error d"]);
  expect(recent.lines()[0]).toBe('{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"b","radios":2}');
  for (let line = 0; line < 5_000; line += 1) recent.log.info({ line }, "x");
  expect(recent.lines()).toHaveLength(500);
  expect(recent.lines().at(-1)).toContain('"line":4999');
});

it("a line of any length or shape is kept short and is JSON", () => {
  const recent = keepRecentLog({ debug() {}, info() {}, warn() {}, error() {} }, clock);
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  recent.log.info(circle, "circle");
  recent.log.info({ text: "\u0000é".repeat(100_000) }, "long");
  for (const line of recent.lines()) {
    expect(line.length).toBeLessThan(8_192);
    expect(JSON.parse(line)).toHaveProperty("message");
  }
});
