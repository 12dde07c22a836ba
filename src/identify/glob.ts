/** Globs with nothing but `*`, which is any run of characters. ASCII case does not matter. */

/** In time that grows with the product of both lengths at worst, whatever they hold. */
export function fitsGlob(glob: string, text: string): boolean {
  const [first = "", ...rest] = lowerCase(glob).split("*");
  const subject = lowerCase(text);
  const last = rest.pop();
  if (last === undefined) return subject === first;
  if (!subject.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = subject.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return subject.length - at >= last.length && subject.endsWith(last);
}

/** ASCII only, as DNS compares (RFC 6762 §16). */
function lowerCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
