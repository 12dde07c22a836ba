/** Making and using what was read: the three states of `Reading`. */
import type { Reading } from "./check.ts";

export function wasRead<Value>(value: Value): Reading<Value> {
  return { state: "read", value };
}

export const isAbsent: Reading<never> = { state: "absent" };

export function isUnreadable(why: string): Reading<never> {
  return { state: "unreadable", why };
}

/** The value, or undefined for both of the other states: for evidence that is nice to have, not for verdicts. */
export function valueOf<Value>(reading: Reading<Value>): Value | undefined {
  return reading.state === "read" ? reading.value : undefined;
}

/** What another value follows from what was read; the other states stay what they are. */
export function mapReading<From, To>(reading: Reading<From>, change: (value: From) => To): Reading<To> {
  return reading.state === "read" ? wasRead(change(reading.value)) : reading;
}
