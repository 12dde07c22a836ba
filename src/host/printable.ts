/** Makes text from outside safe to print, log and store. */

/** Longest string kept, in UTF-16 code units: a USB string descriptor holds at most 126 (USB 2.0 §9.6.7). */
export const longestText = 255;

/**
 * Characters that move the cursor, reorder or hide text, break lines, or mean nothing: controls (C0, DEL, C1),
 * format characters (bidi overrides, zero-width, tags, BOM), line and paragraph separators, lone surrogates,
 * private-use and unassigned code points.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** `text` with each unprintable character replaced by U+FFFD, cut to 255 UTF-16 code units between characters. */
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
