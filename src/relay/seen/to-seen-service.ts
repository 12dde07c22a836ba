/** An entry as others see it. Pure but for remembering what a TXT record says. */
import { isIP } from "node:net";
import type { SeenService } from "../../core/relay.ts";
import type { SeenAddress, SeenEntry, SeenInstance, SeenOffer } from "./seen-entries.ts";
import { readTextRecord } from "./text-record.ts";

interface Moment {
  /** Monotonic milliseconds. */
  readonly at: number;
  /** What monotonic zero was on the wall clock, in milliseconds since the epoch. */
  readonly epoch: number;
}

export function toSeenService(entry: SeenEntry, moment: Moment): SeenService {
  const { link, heardAt, relayedTo } = entry;
  const until = entry.kind === "instance" ? Math.max(entry.pointerUntil, entry.srvUntil) : entry.until;
  return {
    ...(entry.kind === "instance" ? instanceFacts(entry, moment) : offerFacts(entry)),
    link: link.name,
    lastSeen: toTimestamp(moment.epoch + heardAt),
    expires: toTimestamp(moment.epoch + until),
    relayedTo: [...relayedTo].sort(),
  };
}

type Facts = Omit<SeenService, "link" | "lastSeen" | "expires" | "relayedTo">;

function instanceFacts({ link, service, name, srv, text }: SeenInstance, { at }: Moment): Facts {
  const held = srv !== undefined && srv.goneAt > at ? srv : undefined;
  const said = text !== undefined && text.goneAt > at ? text : undefined;
  return {
    protocol: "mdns",
    service,
    instance: name,
    ...(held === undefined ? {} : { host: held.host, port: held.port }),
    addresses: held === undefined ? [] : addressTexts(link.hosts.get(held.targetKey)?.addresses ?? [], at),
    text: said === undefined ? {} : (said.pairs ??= readTextRecord(said.data, service)),
    ...(held === undefined || said === undefined ? { unresolved: true } : {}),
  };
}

/** Those that hold, else the last known. IPv4 first, what is good on its own link only last. */
function addressTexts(addresses: readonly SeenAddress[], at: number): readonly string[] {
  const held = addresses.filter(({ goneAt }) => goneAt > at);
  const fresh = held.filter(({ until }) => until > at);
  return (fresh.length > 0 ? fresh : held)
    .map(({ bytes, text }) => ({ text, rank: rankOf(bytes) }))
    .sort((left, right) => left.rank - right.rank || (left.text < right.text ? -1 : 1))
    .map(({ text }) => text);
}

/** Link-local: 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291 §2.5.6). */
function rankOf(bytes: Uint8Array): number {
  if (bytes.length === 4) return bytes[0] === 169 && bytes[1] === 254 ? 2 : 0;
  return bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80 ? 3 : 1;
}

function offerFacts({ service, device, locations, server }: SeenOffer): Facts {
  const urls = [locations.get(4), locations.get(6)].flatMap((location) => location ?? []);
  const [location] = urls;
  const places = urls.map((url) => URL.parse(url)).filter((url) => url !== null);
  const port = portOf(places[0]);
  return {
    protocol: "ssdp",
    service,
    instance: device,
    ...(port === undefined ? {} : { port }),
    addresses: places.map(({ hostname }) => hostname.replaceAll(/^\[|\]$/g, "")).filter((host) => isIP(host) !== 0),
    text: { ...(location === undefined ? {} : { location }), ...(server === undefined ? {} : { server }) },
  };
}

function portOf(url: URL | undefined): number | undefined {
  if (url === undefined) return undefined;
  if (url.port !== "") return Number(url.port);
  return url.protocol === "http:" ? 80 : undefined;
}

/** To the second, so that a row that did not change reads the same. */
function toTimestamp(milliseconds: number): string {
  return new Date(Math.round(milliseconds / 1_000) * 1_000).toISOString();
}
