/** As much of XML 1.0 with namespaces as SOAP messages may be made of, for datagrams: small, whole, and refused when in doubt. */

export interface XmlElement {
  readonly namespace: string;
  readonly local: string;
  readonly children: readonly XmlElement[];
  /** All character data directly in it. */
  readonly text: string;
  /** Namespaces by prefix, for names in its text such as `wsdp:Device`. */
  readonly scope: Scope;
}

interface Scope {
  get(prefix: string): string | undefined;
}

interface OpenElement extends XmlElement {
  readonly tag: string;
  readonly children: XmlElement[];
  text: string;
}

interface Fault {
  readonly fault: string;
}

const deepest = 32;
const mostElements = 2_048;

/** ASCII only: readers differ in which other letters names may have. */
const part = "[A-Za-z_][A-Za-z0-9_.-]*";
const name = `(?:${part}:)?${part}`;
const blank = "[ \\t\\r\\n]";
const equals = `${blank}*=${blank}*`;

const declaration = new RegExp(
  `^<\\?xml${blank}+version${equals}(?:"1\\.0"|'1\\.0')` +
    `(?:${blank}+encoding${equals}(?:"[Uu][Tt][Ff]-8"|'[Uu][Tt][Ff]-8'))?` +
    `(?:${blank}+standalone${equals}(?:"(?:yes|no)"|'(?:yes|no)'))?${blank}*\\?>`,
);
const openTag = new RegExp(`<(${name})((?:${blank}+${name}${equals}(?:"[^"<]*"|'[^'<]*'))*)${blank}*(/?)>`, "y");
const closeTag = new RegExp(`</(${name})${blank}*>`, "y");
const attribute = new RegExp(`(${name})${equals}(?:"([^"]*)"|'([^']*)')`, "g");
const entity = /&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7}|x[0-9A-Fa-f]{1,6}));/g;
const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
/** XML 1.0 §2.2, production Char. */
const noCharacter = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

const xmlNamespace = "http://www.w3.org/XML/1998/namespace";
const namespacesNamespace = "http://www.w3.org/2000/xmlns/";
const outermost: Scope = new Map([
  ["", ""],
  ["xml", xmlNamespace],
]);

/**
 * The root element of a document in UTF-8. Held to: one root, tags closed in order, attributes quoted, each once, prefixes
 * declared, XML's own five entities and characters that XML has. Refused beside that: DOCTYPE and processing instructions
 * (SOAP 1.2 part 1 §5), names beyond ASCII, and more than 32 levels or 2,048 elements.
 */
export function readXml(bytes: Uint8Array): XmlElement | Fault {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { fault: "not UTF-8" };
  }
  if (noCharacter.test(text)) return { fault: "a character that XML does not have" };
  const stack: OpenElement[] = [];
  let root: OpenElement | undefined;
  let count = 0;
  let at = declaration.exec(text)?.[0].length ?? 0;
  while (at < text.length) {
    const markup = text.indexOf("<", at);
    const top = stack.at(-1);
    const fault = addText(top, text.slice(at, markup < 0 ? text.length : markup));
    if (fault !== undefined) return { fault };
    if (markup < 0) break;
    at = skipOpaque(text, markup, top);
    if (at < 0) return { fault: "a comment or CDATA without an end" };
    if (at > markup) continue;

    closeTag.lastIndex = markup;
    const closing = closeTag.exec(text);
    if (closing !== null) {
      if (top?.tag !== closing[1]) return { fault: "a tag closed that is not open" };
      stack.pop();
      at = closeTag.lastIndex;
      continue;
    }
    openTag.lastIndex = markup;
    const opening = openTag.exec(text);
    if (opening === null) return { fault: "no tag" };
    if (top === undefined && root !== undefined) return { fault: "two roots" };
    count += 1;
    if (count > mostElements || stack.length >= deepest) return { fault: "too many elements" };
    const element = toElement(opening[1] ?? "", opening[2] ?? "", top?.scope ?? outermost);
    if ("fault" in element) return element;
    root ??= element;
    top?.children.push(element);
    if (opening[3] === "") stack.push(element);
    at = openTag.lastIndex;
  }
  if (root === undefined) return { fault: "no element" };
  return stack.length > 0 ? { fault: "a tag that is not closed" } : root;
}

function addText(element: OpenElement | undefined, raw: string): string | undefined {
  if (element === undefined) return /^[ \t\r\n]*$/.test(raw) ? undefined : "text outside of elements";
  if (raw.includes("]]>")) return "]]> in text";
  const text = decode(raw);
  if (text === undefined) return "an entity that XML does not have";
  element.text += text;
  return undefined;
}

/** The end of the comment or CDATA at `start`, `start` itself where there is neither, and -1 where it has no end. */
function skipOpaque(text: string, start: number, element: OpenElement | undefined): number {
  if (text.startsWith("<!--", start)) {
    // XML 1.0 §2.5: no `--` within.
    const end = text.indexOf("--", start + 4);
    return end >= 0 && text[end + 2] === ">" ? end + 3 : -1;
  }
  if (element === undefined || !text.startsWith("<![CDATA[", start)) return start;
  const end = text.indexOf("]]>", start);
  if (end < 0) return -1;
  element.text += text.slice(start + 9, end);
  return end + 3;
}

function toElement(tag: string, attributes: string, outer: Scope): OpenElement | Fault {
  const declarations = new Map<string, string>();
  const names = new Set<string>();
  for (const [, attributeName = "", double, simple] of attributes.matchAll(attribute)) {
    const value = decode(double ?? simple ?? "");
    if (value === undefined) return { fault: "an entity that XML does not have" };
    const { prefix, local } = split(attributeName);
    if (names.has(attributeName)) return { fault: "an attribute twice" };
    names.add(attributeName);
    if (prefix !== "xmlns" && attributeName !== "xmlns") continue;
    const declared = prefix === "" ? "" : local;
    if (!mayDeclare(declared, value)) return { fault: "a namespace that may not be declared" };
    declarations.set(declared, value);
  }
  const scope = declarations.size === 0 ? outer : within(outer, declarations);
  const known = new Set<string>();
  for (const attributeName of names) {
    const { prefix, local } = split(attributeName);
    if (prefix === "" || prefix === "xmlns") continue;
    const namespace = scope.get(prefix);
    const expanded = `${namespace} ${local}`;
    if (namespace === undefined) return { fault: "a prefix that is not declared" };
    if (known.has(expanded)) return { fault: "an attribute twice" };
    known.add(expanded);
  }
  const { prefix, local } = split(tag);
  const namespace = scope.get(prefix);
  if (namespace === undefined) return { fault: "a prefix that is not declared" };
  return { tag, namespace, local, scope, children: [], text: "" };
}

/** Not a copy: that of each level would take the square of what a datagram can declare. Levels are few. */
function within(outer: Scope, declarations: ReadonlyMap<string, string>): Scope {
  return { get: (prefix) => declarations.get(prefix) ?? outer.get(prefix) };
}

/** Namespaces in XML 1.0 §3, "Reserved Prefixes", and §2.2: only the default may be taken back. */
function mayDeclare(prefix: string, namespace: string): boolean {
  if (prefix === "xml") return namespace === xmlNamespace;
  if (prefix === "xmlns" || namespace === xmlNamespace || namespace === namespacesNamespace) return false;
  return prefix === "" || namespace !== "";
}

function split(qualified: string): { readonly prefix: string; readonly local: string } {
  const colon = qualified.indexOf(":");
  return { prefix: qualified.slice(0, Math.max(0, colon)), local: qualified.slice(colon + 1) };
}

/** Text with its entities put in; undefined where XML has no such. */
function decode(raw: string): string | undefined {
  if (!raw.includes("&")) return raw;
  if (raw.replaceAll(entity, "").includes("&")) return undefined;
  const text = raw.replaceAll(entity, (_all, known?: string, number?: string) => {
    if (known !== undefined) return entities[known] ?? "";
    const code = number?.startsWith("x") === true ? Number(`0${number}`) : Number(number);
    return code > 0x10ffff ? "\0" : String.fromCodePoint(code);
  });
  return noCharacter.test(text) ? undefined : text;
}
