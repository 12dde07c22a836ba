/** Patterns in which `*` is any run of characters. */
import { toAsciiLowerCase } from "../dns/dns-name.ts";

/** Whether a text fits. The time it takes grows with the text's length only. */
export type Glob = (text: string) => boolean;

/** `pattern` is matched without regard to ASCII case; texts are given in lower case. Nothing but `*` is special. */
export function compileGlob(pattern: string): Glob {
  const lower = toAsciiLowerCase(pattern);
  const parts = lower.split("*");
  if (parts.length === 1) return (text) => text === lower;
  const head = parts[0] ?? "";
  const tail = parts.at(-1) ?? "";
  const middle = parts.slice(1, -1).filter((part) => part !== "");
  return (text) => {
    const end = text.length - tail.length;
    if (end < head.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
    // The leftmost place for each part in turn leaves the most for those that follow, so nothing is ever tried twice.
    let at = head.length;
    for (const part of middle) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
