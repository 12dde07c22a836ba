/** What a TXT record says, as text (RFC 6763 §6). Pure; never throws, whatever the bytes. */

/** Characters of a key, and pairs of a record, that are kept: RFC 6763 §6.4 asks for nine characters at most. */
const longestKey = 64;
const mostPairs = 64;

/** Keys whose values are bytes (OpenThread border agents): always in hexadecimal digits, even where they look like text. */
const binaryKeys: ReadonlySet<string> = new Set(["id", "sb", "xp", "xa", "at", "pt", "sq", "bb", "omr", "vo"]);
const binaryServices: ReadonlySet<string> = new Set(["_meshcop._udp", "_meshcop-e._udp", "_trel._udp"]);

const utf8 = new TextDecoder("utf-8", { fatal: true });
const plain = /^[^\p{Cc}]*$/u;

/**
 * Key → value of the data of a TXT record. Keys in lower case, the first of a kind counts (§6.4); a key without value has the
 * empty one. A value that is no text comes as `0x` and hexadecimal digits. What is cut off in the middle is left out.
 */
export function readTextRecord(data: Uint8Array, service: string): Readonly<Record<string, string>> {
  const pairs = new Map<string, string>();
  const binary = binaryServices.has(service) ? binaryKeys : undefined;
  for (let at = 0; at < data.length && pairs.size < mostPairs;) {
    const end = at + 1 + (data[at] ?? 0);
    if (end > data.length) break;
    const pair = data.subarray(at + 1, end);
    at = end;
    const equals = pair.indexOf(0x3d);
    const key = readKey(equals === -1 ? pair : pair.subarray(0, equals));
    if (key === undefined || pairs.has(key)) continue;
    const value = equals === -1 ? new Uint8Array() : pair.subarray(equals + 1);
    pairs.set(key, binary?.has(key) === true ? toHex(value) : readValue(value));
  }
  return Object.fromEntries(pairs);
}

/** Printable US-ASCII (§6.4). */
function readKey(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.length > longestKey || bytes.some((byte) => byte < 0x20 || byte > 0x7e)) return undefined;
  const key = String.fromCharCode(...bytes).toLowerCase();
  return key === "__proto__" ? undefined : key;
}

function readValue(bytes: Uint8Array): string {
  try {
    const text = utf8.decode(bytes);
    if (plain.test(text)) return text;
  } catch {
    // No text: told as bytes below.
  }
  return `0x${toHex(bytes)}`;
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
