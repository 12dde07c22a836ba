import { expect, test } from "vitest";
import { createConditions } from "./condition.ts";
import { AerialError } from "./errors.ts";
import type { Log } from "./log.ts";
import { logConditions } from "./log-conditions.ts";

test("a condition is a line when it comes, when it changes and when it is over", async () => {
  const conditions = createConditions({ now: () => 0, sleep: () => Promise.resolve() });
  const lines: string[] = [];
  const at = (level: string) => (data: object, message: string) => void lines.push(`${level} ${message} ${JSON.stringify(data)}`);
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const lifetime = new AbortController();
  const done = logConditions(conditions, log, lifetime.signal);
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  conditions.raise("a", "warning", "one");
  await settle();
  conditions.raise("a", "warning", "one");
  conditions.raise("a", "error", "two");
  await settle();
  conditions.clear("a");
  await settle();
  lifetime.abort(new AerialError("internal.abort", "the test is over"));
  await done;
  expect(lines).toEqual([
    'warn condition {"code":"a","text":"one"}',
    'error condition {"code":"a","text":"two"}',
    'info condition is over {"code":"a"}',
  ]);
});
