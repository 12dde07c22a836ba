/** WS-Discovery 1.1 (OASIS 2009/01) and its draft of April 2005, which Windows and printers speak: SOAP over UDP 3702. */
import type { RelayDirection } from "../rules/relay-rule.ts";
import { readXml, type XmlElement } from "./read-xml.ts";

export interface WsdMessage {
  readonly kind: "hello" | "bye" | "probe" | "resolve" | "probe-match" | "resolve-match";
  readonly direction: RelayDirection;
  /** What it is about: Types without prefixes, lower case (`printdevicetype`). Empty when it names none. */
  readonly types: readonly string[];
  /** The endpoint's address, mostly `urn:uuid:…`; lower case. */
  readonly endpoint?: string;
  /** XAddrs: where to talk to it. */
  readonly addresses: readonly string[];
  readonly bytes: Uint8Array;
}

const discoveryNamespaces = ["http://schemas.xmlsoap.org/ws/2005/04/discovery", "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"];
const envelopeNamespaces: ReadonlySet<string> = new Set([
  "http://www.w3.org/2003/05/soap-envelope",
  "http://schemas.xmlsoap.org/soap/envelope/",
]);

/** By the last part of the action. */
const kinds = {
  Hello: "hello",
  Bye: "bye",
  Probe: "probe",
  Resolve: "resolve",
  ProbeMatches: "probe-match",
  ResolveMatches: "resolve-match",
} as const;

/** Of each list. Nobody sends a tenth of that. */
const mostListed = 64;
const longestListed = 512;

/**
 * One packet: well-formed XML (see `readXml`), a SOAP envelope with one Header and one Body, one Action that WS-Discovery has, a
 * MessageID, and in the body what the action says. Bytes after the document are no part of XML, so none may follow.
 */
export function readWsd(packet: Uint8Array): WsdMessage | { readonly fault: string } {
  const root = readXml(packet);
  if ("fault" in root) return root;
  if (root.local !== "Envelope" || !envelopeNamespaces.has(root.namespace)) return { fault: "no SOAP envelope" };
  const header = only(childrenOf(root, "Header"));
  const body = only(childrenOf(root, "Body"));
  if (header === undefined || body === undefined) return { fault: "an envelope without one header and one body" };
  const action = only(childrenOf(header, "Action"))?.text.trim() ?? "";
  const namespace = discoveryNamespaces.find((candidate) => action.startsWith(`${candidate}/`));
  const verb = namespace === undefined ? "" : action.slice(namespace.length + 1);
  if (!isVerb(verb)) return { fault: "no action of WS-Discovery" };
  if (only(childrenOf(header, "MessageID"))?.text.trim() === undefined) return { fault: "not one MessageID" };
  const content = only(body.children);
  if (content?.local !== verb || content.namespace !== namespace) return { fault: "another body than the action says" };

  const described = elementsBelow(content);
  const endpoint = described
    .find(({ local }) => local === "EndpointReference")
    ?.children.find(({ local }) => local === "Address")
    ?.text.trim()
    .toLowerCase();
  const kind = kinds[verb];
  return {
    kind,
    direction: kind === "probe" || kind === "resolve" ? "ask" : "offer",
    types: listed(described, "Types").map((type) => type.slice(type.indexOf(":") + 1).toLowerCase()),
    addresses: listed(described, "XAddrs"),
    ...(endpoint === undefined || endpoint === "" ? {} : { endpoint: endpoint.slice(0, longestListed) }),
    bytes: packet,
  };
}

function isVerb(text: string): text is keyof typeof kinds {
  return Object.hasOwn(kinds, text);
}

function childrenOf(element: XmlElement, local: string): readonly XmlElement[] {
  return element.children.filter((child) => child.local === local);
}

function only(elements: readonly XmlElement[]): XmlElement | undefined {
  return elements.length === 1 ? elements[0] : undefined;
}

function elementsBelow(element: XmlElement): readonly XmlElement[] {
  return element.children.flatMap((child) => [child, ...elementsBelow(child)]);
}

/** The words of all elements of that name, each once. */
function listed(elements: readonly XmlElement[], local: string): readonly string[] {
  const words = elements.filter((element) => element.local === local).flatMap(({ text }) => text.split(/[ \t\r\n]+/));
  return [...new Set(words.filter((word) => word !== "" && word.length <= longestListed))].slice(0, mostListed);
}
