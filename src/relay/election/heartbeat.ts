/**
 * What aerials say to each other on a link: an unsolicited mDNS response with one TXT record (RFC 6762 §8.3), which
 * every other listener caches for some seconds and forgets. It is about one link and never carried to another.
 *
 *     <id>._aerial-relay._udp.local  TXT  "v=1" "link=k1" "token=…" "from=192.0.2.7" "k2=4a6s" …
 */
import type { AddressFamily } from "../../core/relay.ts";
import { type DnsMessage, recordType } from "../dns/dns-message.ts";
import { aboutName } from "../mdns/about-name.ts";

/** What one aerial says of itself between two links. `lease`: active, and by the cluster's decision. */
export type Claim = "standby" | "active" | "lease";

/** Its claim for each address family in which it has both links. */
export type PairClaims = Readonly<Partial<Record<AddressFamily, Claim>>>;

export interface Heartbeat {
  /** Who: 16 hexadecimal digits, new with each start. */
  readonly id: string;
  /** For how many seconds it holds if nothing more is heard; 0 is goodbye. */
  readonly ttl: number;
  /** The sender's own word for the link this is sent on. */
  readonly link: string;
  /** 16 hexadecimal digits that are said on this link only: who hears them elsewhere knows that the links are joined. */
  readonly token: string;
  /** The sender's addresses on this link: from any other it has been carried by somebody. */
  readonly addresses: readonly string[];
  /** By the sender's word for the other link. */
  readonly pairs: ReadonlyMap<string, PairClaims>;
}

/** In bytes: it is to fit the least IPv6 packet (1280, RFC 8200 §5). */
export const longestHeartbeat = 1_280 - 40 - 8;
/** A relay of more links stays silent about the rest. */
export const mostLinks = 64;
export const mostAddresses = 6;
/** Seconds; no heartbeat is believed for longer. */
const longestTtl = 30;

const serviceLabels = ["_aerial-relay", "_udp", "local"] as const;
const serviceKey = serviceLabels.join(".");
/** As `aboutName` says it. */
export const heartbeatService = `${serviceLabels[0]}.${serviceLabels[1]}`;
const version = "1";

const letters = { standby: "s", active: "a", lease: "l" } as const satisfies Record<Claim, string>;
const claims: Readonly<Record<string, Claim>> = { s: "standby", a: "active", l: "lease" };

const idPattern = /^[0-9a-f]{16}$/;
const keyPattern = /^k[0-9a-z]{1,6}$/;
const claimPattern = /^(?:4([asl]))?(?:6([asl]))?$/;
const addressPattern = /^[0-9a-f.:]{2,45}$/;

const headerLength = 12;
/** QR and AA (RFC 6762 §18.2, §18.4). */
const responseFlags = 0x8400;
const classInternet = 1;

/** The heartbeat as a packet. What goes beyond `mostLinks` and `mostAddresses` is left out. */
export function encodeHeartbeat({ id, ttl, link, token, addresses, pairs }: Heartbeat): Uint8Array {
  const strings = [
    `v=${version}`,
    `link=${link}`,
    `token=${token}`,
    ...addresses.slice(0, mostAddresses).map((address) => `from=${address}`),
    ...[...pairs].slice(0, mostLinks - 1).map(([key, pair]) => `${key}=${toLetters(pair)}`),
  ];
  const name = Buffer.concat([...[id, ...serviceLabels].map(toCounted), Buffer.of(0)]);
  const data = Buffer.concat(strings.map(toCounted));
  const header = Buffer.alloc(headerLength);
  header.writeUInt16BE(responseFlags, 2);
  header.writeUInt16BE(1, 6);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(recordType.TXT, 0);
  fixed.writeUInt16BE(classInternet, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([header, name, fixed, data]);
}

/** Whether a message speaks of the relays' own service, in lower case as they write it: such are never carried to another link. */
export function isHeartbeat({ records, questions }: DnsMessage): boolean {
  for (const { name, target } of records) {
    if (aboutName(name) === heartbeatService || (target !== undefined && aboutName(target) === heartbeatService)) return true;
  }
  for (const { name } of questions) if (aboutName(name) === heartbeatService) return true;
  return false;
}

/** Reads a heartbeat; undefined for anything else, for another version, and for more than is believed of one sender. */
export function decodeHeartbeat(message: DnsMessage): Heartbeat | undefined {
  const [record, another] = message.records;
  if (!message.response || message.questions.length > 0 || record === undefined || another !== undefined) return undefined;
  if (record.section !== "answer" || record.type !== recordType.TXT || record.class !== classInternet || record.flush) return undefined;
  const id = record.name.key.slice(0, -serviceKey.length - 1);
  if (!idPattern.test(id) || record.name.key !== `${id}.${serviceKey}`) return undefined;
  const said = readStrings(message.bytes.subarray(record.dataStart, record.end));
  return said && toHeartbeat({ id, ttl: Math.min(record.ttl, longestTtl) }, said);
}

function toHeartbeat(who: Pick<Heartbeat, "id" | "ttl">, said: readonly string[]): Heartbeat | undefined {
  const addresses: string[] = [];
  const pairs = new Map<string, PairClaims>();
  const words = new Map<string, string>();
  for (const text of said) {
    const cut = text.indexOf("=");
    const key = text.slice(0, Math.max(cut, 0));
    const value = text.slice(cut + 1);
    if (key === "from" && addressPattern.test(value)) addresses.push(value);
    else if (keyPattern.test(key)) pairs.set(key, toClaims(value));
    else if (!words.has(key)) words.set(key, value);
  }
  const link = words.get("link") ?? "";
  const token = words.get("token") ?? "";
  if (words.get("v") !== version || !keyPattern.test(link) || !idPattern.test(token)) return undefined;
  if (addresses.length > mostAddresses || pairs.size >= mostLinks) return undefined;
  return { ...who, link, token, addresses, pairs };
}

function toClaims(text: string): PairClaims {
  const [, four, six] = claimPattern.exec(text) ?? [];
  const [inFour, inSix] = [claims[four ?? ""], claims[six ?? ""]];
  return { ...(inFour && { 4: inFour }), ...(inSix && { 6: inSix }) };
}

function toLetters(pair: PairClaims): string {
  return ([4, 6] as const).map((family) => (pair[family] === undefined ? "" : `${family}${letters[pair[family]]}`)).join("");
}

/** Character strings (RFC 1035 §3.3). Undefined when one is cut off or there are too many. */
function readStrings(data: Uint8Array): readonly string[] | undefined {
  const strings: string[] = [];
  for (let at = 0; at < data.length;) {
    const end = at + 1 + (data[at] ?? 0);
    if (end > data.length || strings.length > mostLinks + mostAddresses + 16) return undefined;
    strings.push(Buffer.from(data.buffer, data.byteOffset + at + 1, end - at - 1).toString("latin1"));
    at = end;
  }
  return strings;
}

function toCounted(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
