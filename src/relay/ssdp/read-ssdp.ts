/** SSDP as in the UPnP Device Architecture 2.0 §1 (UDA): announcements, searches and answers to them. */
import type { RelayDirection } from "../rules/relay-rule.ts";
import { readHttpHead } from "./read-http-head.ts";

export interface SsdpMessage {
  readonly kind: "notify" | "search" | "response";
  readonly direction: RelayDirection;
  /** What it is about, lower case: NT or ST, and the type in the USN where that is another. At least one. */
  readonly targets: readonly string[];
  readonly usn?: string;
  /** The device, from the USN: lower case and without `uuid:`. */
  readonly uuid?: string;
  /** NOTIFY: what it tells. */
  readonly nts?: "alive" | "byebye" | "update";
  /** Searches: how long answers may take, 1 to 5 s. */
  readonly maxWaitSeconds?: number;
  readonly location?: string;
  /** CACHE-CONTROL: how long an announcement holds. */
  readonly maxAgeSeconds?: number;
  /** Names in lower case, values latin1. */
  readonly headers: ReadonlyMap<string, string>;
  /** What may be relayed: the packet as it came, up to its empty line. A view of the packet unless its line ends had to be mended. */
  readonly bytes: Uint8Array;
}

/** Headers that are acted on: twice, and readers would differ. */
const single: ReadonlySet<string> = new Set([
  "host",
  "nt",
  "nts",
  "st",
  "usn",
  "man",
  "mx",
  "location",
  "securelocation.upnp.org",
  "content-length",
  "transfer-encoding",
]);

const startLine = /^(?:(NOTIFY|M-SEARCH) \* HTTP\/1\.[01]|HTTP\/1\.[01] 200(?: [^\r\n]*)?)$/;

const announcements = { "ssdp:alive": "alive", "ssdp:byebye": "byebye", "ssdp:update": "update" } as const;

/** UDA 2.0 §1.3.3: a larger MX is to be taken for 5. */
const longestWait = 5;

/** Far beyond any type's name, so that tables and traces stay small. */
const longestTarget = 512;

/** One packet. A message is refused when HTTP or UDA forbid it in a way that makes receivers differ about it; what they merely miss is let be. */
export function readSsdp(packet: Uint8Array): SsdpMessage | { readonly fault: string } {
  const head = readHttpHead(packet, single);
  if ("fault" in head) return head;
  const { headers, bytes } = head;
  const start = startLine.exec(head.startLine);
  if (start === null) return { fault: "neither NOTIFY, M-SEARCH nor an answer" };
  // UDA 2.0 §1.1.2: no body. Where one is promised, readers wait for it.
  if (headers.has("transfer-encoding") || !/^0*$/.test(headers.get("content-length") ?? "0")) return { fault: "promises a body" };
  if (headers.get("content-length") === "") return { fault: "content-length without a number" };
  const kind = start[1] === "NOTIFY" ? "notify" : start[1] === "M-SEARCH" ? "search" : "response";
  const target = headers.get(kind === "notify" ? "nt" : "st");
  if (target === undefined || target === "") return { fault: kind === "notify" ? "no NT" : "no ST" };
  if (target.length > longestTarget) return { fault: "a target too long to be one" };

  const usn = headers.get("usn");
  const shared = { kind, headers, bytes, targets: targetsOf(target, usn) } as const;
  if (kind === "search") {
    // Quoted it should be; missing it often is.
    const man = headers.get("man")?.replaceAll('"', "").toLowerCase();
    if (man !== undefined && man !== "ssdp:discover") return { fault: "MAN is not ssdp:discover" };
    return { ...shared, direction: "ask", maxWaitSeconds: waitOf(headers.get("mx")) };
  }
  const offer = { ...shared, direction: "offer", ...describeDevice(usn), ...describeReach(headers) } as const;
  if (kind === "response") return offer;
  const nts = headers.get("nts")?.toLowerCase() ?? "";
  if (!Object.hasOwn(announcements, nts)) return { fault: "NTS is none of alive, byebye and update" };
  return { ...offer, nts: announcements[nts as keyof typeof announcements] };
}

/** USN is `uuid:…`, or `uuid:…::` and a type (UDA 2.0 §1.2.2). */
function targetsOf(target: string, usn: string | undefined): readonly string[] {
  const first = target.toLowerCase();
  const separator = usn?.indexOf("::") ?? -1;
  const second = usn === undefined || separator < 0 ? "" : usn.slice(separator + 2).toLowerCase();
  return second === "" || second === first || second.length > longestTarget ? [first] : [first, second];
}

function describeDevice(usn: string | undefined): { readonly usn?: string; readonly uuid?: string } {
  if (usn === undefined || usn === "") return {};
  const uuid = /^uuid:([^:]{1,128})/i.exec(usn)?.[1]?.trim().toLowerCase();
  return uuid === undefined || uuid === "" ? { usn } : { usn, uuid };
}

function describeReach(headers: ReadonlyMap<string, string>): { readonly location?: string; readonly maxAgeSeconds?: number } {
  const location = headers.get("location");
  const maxAge = /(?:^|[,;\s])max-age\s*=\s*"?(\d{1,9})/i.exec(headers.get("cache-control") ?? "")?.[1];
  return {
    ...(location === undefined || location === "" ? {} : { location }),
    ...(maxAge === undefined ? {} : { maxAgeSeconds: Number(maxAge) }),
  };
}

/**
 * How long answers may take. UDA 2.0 §1.3.3 has devices keep silent without MX, yet many answer: then nothing is known of
 * when, so as long as it may ever take. 0 asks for answers at once; they still need a moment.
 */
function waitOf(maxWait: string | undefined): number {
  if (maxWait === undefined || !/^\d+$/.test(maxWait)) return longestWait;
  return Math.min(longestWait, Math.max(1, Number(maxWait)));
}
