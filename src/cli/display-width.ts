/** How many columns text takes on a terminal. */

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** East Asian Wide and Fullwidth (Unicode UAX #11) as far as scripts tell it (their halfwidth forms apart), and emoji shown as pictures. */
const wide =
  /(?![\uff61-\uffdc])[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\ufe0f/u;
const ascii = /^[\u0020-\u007e]*$/;

/** Columns that printable `text` takes. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += segmentWidth(segment);
  return width;
}

/** `text` cut to at most `columns`, with `…` where something was cut off. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let width = 1;
  let kept = "";
  for (const { segment } of segmenter.segment(text)) {
    width += segmentWidth(segment);
    if (width > columns) break;
    kept += segment;
  }
  return columns < 1 ? "" : `${kept}…`;
}

function segmentWidth(segment: string): number {
  if (/^\p{M}+$/u.test(segment)) return 0;
  return wide.test(segment) ? 2 : 1;
}
