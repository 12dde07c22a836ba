/** Text from devices: decoded, safe to print, log and store, and short. */
import { unprintable } from "../core/printable.ts";

/** Longest string kept, in UTF-16 code units: a USB string descriptor holds at most 126 (USB 2.0 §9.6.7). */
export const longestText = 255;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** `text` with each unprintable character (controls, bidi overrides, separators, …) replaced by U+FFFD, cut to 255 UTF-16 code units between characters. */
export function toPrintable(text: string): string {
  const safe = text.replace(unprintable, "\u{fffd}");
  if (safe.length <= longestText) return safe;
  const cut = safe.slice(0, longestText);
  // A character outside the BMP must not be cut in two.
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** Decodes bytes as UTF-8, malformed sequences as U+FFFD, and makes the result printable. Total: never throws. */
export function decodePrintable(bytes: Uint8Array): string {
  return toPrintable(utf8.decode(bytes));
}
