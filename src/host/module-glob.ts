/**
 * The patterns of `modules.alias`, as fnmatch(3) without flags takes them: `*`, `?` and `[…]`. kmod makes `-` and `_` one
 * before it compares (libkmod, alias_normalize).
 */

/** Whether the whole modalias fits. Time grows with the product of both lengths at worst; a malformed pattern fits nothing. */
export function fitsModuleGlob(glob: string, modalias: string): boolean {
  const tokens = toTokens(glob);
  if (tokens === undefined) return false;
  const text = normalize(modalias);
  let at = 0;
  let token = 0;
  /** Where to go on when what follows the last `*` does not fit. */
  let retry: { readonly token: number; at: number } | undefined;
  while (at < text.length) {
    const wanted = tokens[token];
    if (wanted === "any") {
      retry = { token, at };
      token += 1;
    } else if (wanted !== undefined && fitsOne(wanted, text[at] ?? "")) {
      at += 1;
      token += 1;
    } else if (retry !== undefined) {
      retry.at += 1;
      at = retry.at;
      token = retry.token + 1;
    } else return false;
  }
  while (tokens[token] === "any") token += 1;
  return token === tokens.length;
}

interface Class {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [from: string, to: string])[];
}

/** `any`: a run of any characters; `one`: any one character. */
type Token = "any" | "one" | Class | { readonly literal: string };

function fitsOne(token: Exclude<Token, "any">, character: string): boolean {
  if (token === "one") return true;
  if ("literal" in token) return token.literal === character;
  return token.ranges.some(([from, to]) => from <= character && character <= to) !== token.negated;
}

function toTokens(glob: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < glob.length; at += 1) {
    const character = glob[at] ?? "";
    if (character === "*") tokens.push("any");
    else if (character === "?") tokens.push("one");
    else if (character === "[") {
      const set = toClass(glob, at + 1);
      if (set === undefined) return undefined;
      tokens.push(set.token);
      at = set.end;
    } else tokens.push({ literal: normalize(character) });
  }
  return tokens;
}

/** A bracket expression from after its `[`; `end` is where its `]` is. */
function toClass(glob: string, start: number): { readonly token: Class; readonly end: number } | undefined {
  const negated = glob[start] === "!" || glob[start] === "^";
  const first = negated ? start + 1 : start;
  // A `]` at the start stands for itself.
  const end = glob.indexOf("]", first + 1);
  if (end < 0) return undefined;
  const ranges: [string, string][] = [];
  for (let at = first; at < end; at += 1) {
    const from = glob[at] ?? "";
    const to = glob[at + 2];
    if (glob[at + 1] === "-" && to !== undefined && at + 2 < end) {
      ranges.push([from, to]);
      at += 2;
    } else ranges.push([from, from]);
  }
  return { token: { negated, ranges }, end };
}

function normalize(text: string): string {
  return text.replaceAll("-", "_");
}
