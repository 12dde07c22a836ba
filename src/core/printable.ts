/** Text from devices, files and peers, made harmless for terminals and logs. */

/**
 * Everything that moves a cursor, changes colours, reorders or hides text: C0, DEL and C1 controls, line and paragraph
 * separators, bidirectional and other format characters (Unicode category Cf), unassigned and private use, lone surrogates.
 */
export const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}\p{Co}\p{Cs}]/gu;

/** `text` with every unprintable character written as `\u{…}`. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** JSON or double-quoted YAML with every unprintable character as `\uXXXX`: the same document, safe to show. `text` must have them within strings only; line feeds stay. */
export function printableJson(text: string): string {
  return text.replaceAll(unprintable, (character) => {
    if (character === "\n") return character;
    let escaped = "";
    for (let index = 0; index < character.length; index += 1) {
      escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
    }
    return escaped;
  });
}
