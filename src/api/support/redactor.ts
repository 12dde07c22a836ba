/**
 * Takes out of text what would tell whose house it is: serial numbers, addresses of devices and networks, names, secrets.
 * The same text gives the same token within one redactor and another in the next, so that a reader can tell things
 * apart but not look them up.
 */
import { createHmac, randomBytes } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";

type SecretKind = "serial" | "mac" | "name" | "radio";

/** Something that is known to be private, wherever it turns up. */
export interface KnownSecret {
  readonly kind: SecretKind;
  readonly text: string;
}

export interface Redactor {
  text(text: string): string;
  /** Whatever JSON can say, keys too; bounded in depth. */
  value(value: unknown): unknown;
}

export interface RedactorOptions {
  readonly known: readonly KnownSecret[];
  /** Radio ids that say nothing but a place. */
  readonly plainIds?: ReadonlySet<string>;
}

const removed = "[removed]";
/** What is shorter would be found in other words; such a one is told by its field alone. */
const shortestKnown = 4;
/** What is as long stands out by itself, whatever it is joined to. */
const longKnown = 8;
const deepest = 32;

const serialField = /^(usb)?serial(number)?$|^byid$/i;
const secretField = /(password|passphrase|secret|token|authorization|credential|private_?key)s?$/i;

export function createRedactor({ known, plainIds = new Set() }: RedactorOptions): Redactor {
  const key = randomBytes(32);
  const tokenOf = (kind: string, text: string): string => `${kind}-${createHmac("sha256", key).update(text).digest("hex").slice(0, 10)}`;
  const literals = toLiterals(known, tokenOf);
  const patterns = createPatterns(tokenOf, plainIds);

  const text = (raw: string): string => {
    let safe = raw;
    for (const [pattern, replace] of patterns.secrets) safe = safe.replaceAll(pattern, replace);
    for (const literal of literals) safe = replaceLiteral(safe, literal);
    for (const [pattern, replace] of patterns.addresses) safe = safe.replaceAll(pattern, replace);
    return safe;
  };

  const value = (raw: unknown, depth: number): unknown => {
    if (typeof raw === "string") return text(raw);
    if (typeof raw !== "object" || raw === null) return raw;
    if (depth >= deepest) return "[too deep]";
    if (Array.isArray(raw)) return raw.map((item: unknown) => value(item, depth + 1));
    return Object.fromEntries(
      Object.entries(raw).map(([name, held]: [string, unknown]) => {
        if (typeof held === "string" && secretField.test(name)) return [name, removed];
        if (typeof held === "string" && serialField.test(name)) return [text(name), held === "" ? "" : tokenOf("serial", normal(held))];
        return [text(name), value(held, depth + 1)];
      }),
    );
  };
  return { text, value: (raw) => value(raw, 0) };
}

interface Literal {
  /** In lower case. */
  readonly text: string;
  readonly token: string;
}

/** Longest first, so that what is part of another does not spoil it. */
function toLiterals(known: readonly KnownSecret[], tokenOf: (kind: string, text: string) => string): readonly Literal[] {
  const literals = new Map<string, string>();
  for (const { kind, text } of known) {
    const token = tokenOf(kind, normal(text));
    // As it stands in JSON, in the text that labels and ids are made of, and with nothing between its digits.
    const spellings = [
      text,
      JSON.stringify(text).slice(1, -1),
      text.replaceAll(/[^A-Za-z0-9._]+/g, "-"),
      ...(kind === "mac" ? [text.replaceAll(/[:-]/g, "")] : []),
    ];
    for (const spelling of spellings) if (spelling.length >= shortestKnown) literals.set(spelling.toLowerCase(), token);
  }
  return [...literals].map(([text, token]) => ({ text, token })).sort((a, b) => b.text.length - a.text.length);
}

/** Upper and lower case are the same, and so is what people put between the digits of an address. */
function normal(text: string): string {
  return text.toLowerCase().replaceAll(/[:\s_-]/g, "");
}

function replaceLiteral(text: string, { text: wanted, token }: Literal): string {
  const lower = text.toLowerCase();
  // Where lower case has another length, places in one are none in the other.
  const searched = lower.length === text.length ? lower : text;
  let from = 0;
  let safe = "";
  for (let at = searched.indexOf(wanted); at >= 0; at = searched.indexOf(wanted, at + wanted.length)) {
    const stands = wanted.length >= longKnown || (!isWordLetter(text[at - 1]) && !isWordLetter(text[at + wanted.length]));
    if (!stands) continue;
    safe += text.slice(from, at) + token;
    from = at + wanted.length;
  }
  return from === 0 ? text : safe + text.slice(from);
}

function isWordLetter(letter: string | undefined): boolean {
  return letter !== undefined && /[A-Za-z0-9]/.test(letter);
}

type Pattern = readonly [pattern: RegExp, replace: (found: string, ...groups: (string | undefined)[]) => string];

function createPatterns(
  tokenOf: (kind: string, text: string) => string,
  plainIds: ReadonlySet<string>,
): { readonly secrets: readonly Pattern[]; readonly addresses: readonly Pattern[] } {
  const mac = (found: string): string => tokenOf("mac", normal(found));
  return {
    secrets: [
      [/-----BEGIN [A-Z ]+-----[^-]*(-----END [A-Z ]+-----)?/g, () => removed],
      [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, (_found, scheme = "") => `${scheme} ${removed}`],
      // JSON Web Tokens, as service accounts have them: a JSON object in base64url begins so.
      [/\beyJ[\w-]+(\.[\w-]+)*/g, () => removed],
      [
        /\b(password|passphrase|secret|token|apikey|api_key)(\s*[=:]\s*)[^\s"',;&]+/gi,
        (_found, name = "", joint = "") => `${name}${joint}${removed}`,
      ],
      [/:\/\/[^\s/@"']+@/g, () => `://${removed}@`],
      // The kernel tells those of every USB device.
      [/(\bSerialNumber: )(\S+)/g, (_found, name = "", serial = "") => `${name}${tokenOf("serial", normal(serial))}`],
      [/\busb-[^\s"',;/]{1,255}-(if[0-9a-f]{2})/g, (found, end = "") => `usb-${tokenOf("serial", normal(found))}-${end}`],
      [
        /\b([0-9a-f]{4}-[0-9a-f]{4})-[\w.-]*\w/g,
        (found, family = "") => (plainIds.has(found) ? found : `${family}-${tokenOf("radio", found)}`),
      ],
    ],
    addresses: [
      // EUI-64 before EUI-48, which is part of it.
      [/(?:[0-9a-f]{2}[:_-]){7}[0-9a-f]{2}/gi, mac],
      [/(?:[0-9a-f]{2}[:_-]){5}[0-9a-f]{2}/gi, mac],
      // Without anything between the digits; a number has no letters.
      [/[0-9a-f]{12,}/gi, (found) => (/[a-f]/i.test(found) ? mac(found) : found)],
      [/[0-9a-f:]{0,39}:[0-9a-f:.]{0,45}/gi, (found) => redactIpv6(found, tokenOf)],
      [
        /(\d{1,3}-)?(\d{1,3}(?:\.\d{1,3}){3,})/g,
        (found, bus, numbers = "") => (isPort(bus, numbers) ? found : `${bus ?? ""}${redactIpv4(numbers, tokenOf)}`),
      ],
    ],
  };
}

/** USB port paths such as `1-1.2.3.4`: hubs have few ports, and none is numbered 0. */
function isPort(bus: string | undefined, numbers: string): boolean {
  return bus !== undefined && numbers.split(".").every((text) => Number(text) >= 1 && Number(text) < 32);
}

/** Addresses that every host has, and those of groups, tell nothing. */
function redactIpv4(found: string, tokenOf: (kind: string, text: string) => string): string {
  if (!isIPv4(found)) return found;
  const [first = 0, second = 0] = found.split(".").map(Number);
  if (first === 0 || first === 127 || first >= 224) return found;
  const isPrivate = first === 10 || (first === 172 && second >= 16 && second < 32) || (first === 192 && second === 168);
  const kind = isPrivate ? "private" : first === 169 && second === 254 ? "link-local" : "global";
  return tokenOf(`ipv4-${kind}`, found);
}

function redactIpv6(found: string, tokenOf: (kind: string, text: string) => string): string {
  // Punctuation before and after it is not its own.
  const start = /^:(?!:)/.test(found) ? 1 : 0;
  const end = found.length - (/(?:[^:](:)|\.+)$/.exec(found)?.[0].replace(/^[^:.]/, "").length ?? 0);
  const address = found.slice(start, end);
  // `std::string` has one in it too; none that is used begins with fewer digits.
  if (!isIPv6(address) || /^[0-9a-f]{1,3}::?$/i.test(address)) return found;
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  if (canonical === "::" || canonical === "::1" || canonical.startsWith("ff")) return found;
  const kind = /^fe[89ab]/.test(canonical) ? "link-local" : /^f[cd]/.test(canonical) ? "ula" : "global";
  return found.slice(0, start) + tokenOf(`ipv6-${kind}`, canonical) + found.slice(end);
}
