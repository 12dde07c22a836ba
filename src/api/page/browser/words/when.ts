/** Points in time and spans, as people say them. */

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const date = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });

/** `just now`, `3 minutes ago`, `yesterday`; both in milliseconds since the epoch. */
export function describeAgo(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1_000);
  const size = Math.abs(seconds);
  if (size < 45) return seconds > 5 ? "in a moment" : "just now";
  if (size < 45 * minute) return relative.format(Math.round(seconds / minute), "minute");
  if (size < 22 * hour) return relative.format(Math.round(seconds / hour), "hour");
  if (size < 26 * day) return relative.format(Math.round(seconds / day), "day");
  if (size < 320 * day) return relative.format(Math.round(seconds / (30.4 * day)), "month");
  return relative.format(Math.round(seconds / (365.25 * day)), "year");
}

/** With the second, in the reader's own time zone. */
export function describeExactly(at: number): string {
  return exact.format(at);
}

export function describeClock(at: number): string {
  return clock.format(at);
}

/** `14:02`. */
export function describeTime(at: number): string {
  return time.format(at);
}

/** `Today`, `Yesterday`, `Monday 5 January`. */
export function describeDay(at: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / (day * 1_000));
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : date.format(at);
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** `4 days 3 hours`: the two largest units. */
export function describeSpan(seconds: number): string {
  const units: [number, string][] = [
    [day, "day"],
    [hour, "hour"],
    [minute, "minute"],
    [1, "second"],
  ];
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [size, name] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || "0 seconds";
}
