/** What the search protocols have in common, whichever it is: somebody searches, offers, or answers. */
import type { Channel } from "./channels.ts";
import { describeSsdp } from "./ssdp/describe-ssdp.ts";
import { describeWsd } from "./ssdp/describe-wsd.ts";
import { locationIsLinkLocal, urlsAreLinkLocal } from "./ssdp/link-local-location.ts";
import { readSsdp, type SsdpMessage } from "./ssdp/read-ssdp.ts";
import { readWsd } from "./ssdp/read-wsd.ts";

export interface SearchPacket {
  readonly kind: "search" | "offer" | "answer";
  /** What goes on: the packet as a strict parser takes it. */
  readonly bytes: Uint8Array;
  /** Lower case; what rules match. */
  readonly services: readonly string[];
  readonly instance?: string;
  /** Of a search: how long answers are brought home. */
  readonly lifetimeMs: number;
  /** It points at an address that means nothing on another link. */
  readonly linkLocal: boolean;
  readonly ssdp?: SsdpMessage;
  readonly describe: () => string;
}

/** Answers are random within MX (UDA 2.0 §1.3.3); this is for the network and slow devices. */
const afterMaxWaitMs = 3_000;
/** WS-Discovery 1.1 §5.4.1 MATCH_TIMEOUT, 4 s, APP_MAX_DELAY, 0.5 s, and the same for slow ones. */
const wsdLifetimeMs = 7_500;
/** What opaque discovery is given. */
const opaqueLifetimeMs = 5_000;

/** One packet of a search protocol. Never throws. */
export function readSearchPacket(channel: Channel, payload: Uint8Array): SearchPacket | { readonly fault: string } {
  if (channel.protocol === "wsd") return fromWsd(payload);
  // The older discovery of Sonos has no published form: whoever broadcasts asks, and whoever answers does so by unicast.
  if (channel.port === 6969) {
    if (payload.length === 0) return { fault: "empty" };
    const describe = (): string => `broadcast to port ${channel.port}`;
    return { kind: "search", bytes: payload, services: [], lifetimeMs: opaqueLifetimeMs, linkLocal: false, describe };
  }
  return fromSsdp(payload);
}

const ssdpKinds = { notify: "offer", search: "search", response: "answer" } as const;

function fromSsdp(payload: Uint8Array): SearchPacket | { readonly fault: string } {
  const ssdp = readSsdp(payload);
  if ("fault" in ssdp) return ssdp;
  return {
    kind: ssdpKinds[ssdp.kind],
    bytes: ssdp.bytes,
    services: ssdp.targets,
    ...(ssdp.uuid !== undefined && { instance: ssdp.uuid }),
    lifetimeMs: (ssdp.maxWaitSeconds ?? 0) * 1_000 + afterMaxWaitMs,
    linkLocal: locationIsLinkLocal(ssdp),
    ssdp,
    describe: () => describeSsdp(ssdp),
  };
}

const wsdKinds = {
  hello: "offer",
  bye: "offer",
  probe: "search",
  resolve: "search",
  "probe-match": "answer",
  "resolve-match": "answer",
} as const;

function fromWsd(payload: Uint8Array): SearchPacket | { readonly fault: string } {
  const message = readWsd(payload);
  if ("fault" in message) return message;
  return {
    kind: wsdKinds[message.kind],
    bytes: message.bytes,
    services: message.types,
    ...(message.endpoint !== undefined && { instance: message.endpoint }),
    lifetimeMs: wsdLifetimeMs,
    linkLocal: urlsAreLinkLocal(message.addresses),
    describe: () => describeWsd(message),
  };
}
