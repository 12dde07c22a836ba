/** Wall-clock time finer than Date.now(). */

/** Milliseconds since the Unix epoch, with a fraction. */
export function wallClockMs(): number {
  return performance.timeOrigin + performance.now();
}
