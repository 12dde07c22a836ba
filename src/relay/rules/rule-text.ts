/** A rule as one line that people can read. */
import { printable } from "../../core/printable.ts";
import { expandServices } from "./service-matcher.ts";
import type { RelayRule } from "./relay-rule.ts";

/** `deny ask,offer _matter._tcp,_matterc._udp from any to any (default: matter)`. Presets are written out. */
export function formatRule(rule: RelayRule, note?: string): string {
  const words = [
    rule.action,
    rule.direction ?? "ask,offer",
    list(rule.service && expandServices(rule.service)),
    ...named(
      "instance",
      rule.instance?.map((glob) => `"${glob}"`),
    ),
    ...named(
      "host",
      rule.host?.map((glob) => `"${glob}"`),
    ),
    ...named("source", rule.source),
    ...named("protocol", rule.protocol),
    `from ${list(rule.from)} to ${list(rule.to)}`,
    ...(note === undefined ? [] : [`(${note})`]),
  ];
  return printable(words.join(" "));
}

function list(words: readonly string[] | undefined): string {
  return words === undefined ? "any" : words.join(",");
}

function named(name: string, words: readonly string[] | undefined): readonly string[] {
  return words === undefined ? [] : [`${name} ${words.join(",")}`];
}
