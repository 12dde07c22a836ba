/** Globs for paths: `*` is any run of characters within one segment. */

/** Whether the whole path fits. Time grows with the product of both lengths at worst. */
export function fitsPathGlob(glob: string, path: string): boolean {
  const wanted = glob.split("/");
  const given = path.split("/");
  return wanted.length === given.length && wanted.every((segment, index) => fitsSegment(segment, given[index] ?? ""));
}

export function isGlob(segment: string): boolean {
  return segment.includes("*");
}

/** Whether one segment fits; as in shells, `*` does not take names that begin with a dot. */
export function fitsSegment(glob: string, text: string): boolean {
  if (!isGlob(glob)) return glob === text;
  if (text.startsWith(".") && !glob.startsWith(".")) return false;
  const [first = "", ...rest] = glob.split("*");
  const last = rest.pop() ?? "";
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}
