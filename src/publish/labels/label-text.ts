/** Text made to fit where Kubernetes allows little (Kubernetes docs, "Labels and Selectors": syntax and character set). */

/** Longest label value, and longest name part of a key. */
export const longestLabel = 63;

/**
 * A valid label value, or the name part of a valid key, that still resembles `text`: whatever is not allowed becomes `-`.
 * Empty when nothing of it can be kept, which is a valid value but not a valid name.
 */
export function toLabelText(text: string, longest = longestLabel): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/-{2,}/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, longest)
    .replace(/[^A-Za-z0-9]+$/, "");
}

/** `several_models-in_one`: sorted, each once; where they do not fit, as many as do and how many more there are. */
export function joinLabelTexts(texts: readonly string[]): string {
  // `_` is kept for the joints.
  const parts = [...new Set(texts.map((text) => toLabelText(text.replaceAll("_", "-"))))].filter((part) => part !== "").sort();
  for (let shown = parts.length; shown > 1; shown -= 1) {
    const more = parts.length - shown;
    const joined = [...parts.slice(0, shown), ...(more > 0 ? [`and-${more}-more`] : [])].join("_");
    if (joined.length <= longestLabel) return joined;
  }
  const [first = ""] = parts;
  if (parts.length <= 1) return first;
  const rest = `_and-${parts.length - 1}-more`;
  return toLabelText(first, longestLabel - rest.length) + rest;
}
