/** What is remembered of one link, and the bounds on it. Times are monotonic milliseconds. */
import type { AddressFamily } from "../../core/relay.ts";
import type { FairLimit } from "./fair-limit.ts";

/** Who said something where, and when. */
export interface Hearing {
  /** The link's configured name. */
  readonly link: string;
  readonly family: AddressFamily;
  /** 4 or 16 bytes; looked at during the call only. */
  readonly source: Uint8Array;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** A detail as last heard. It holds as long as its row does, unless it is replaced or said goodbye to. */
interface Detail {
  heardAt: number;
  /** After a goodbye, or once the cache-flush bit has made it void (RFC 6762 §10.2); else Infinity. */
  goneAt: number;
}

export interface SeenAddress extends Detail {
  readonly bytes: Uint8Array;
  readonly text: string;
  /** By its time to live. */
  until: number;
}

/** A host name and its addresses. */
export interface SeenHost {
  readonly link: SeenLink;
  readonly key: string;
  addresses: SeenAddress[];
}

interface SeenSrv extends Detail {
  readonly targetKey: string;
  /** As heard, with `.local`. */
  readonly host: string;
  readonly port: number;
}

interface SeenText extends Detail {
  readonly data: Uint8Array;
  /** Read when first asked for. */
  pairs?: Readonly<Record<string, string>>;
}

/** A DNS-SD instance. */
export interface SeenInstance {
  readonly kind: "instance";
  readonly link: SeenLink;
  readonly key: string;
  /** `_hap._tcp`, lower case. */
  readonly service: string;
  /** As heard. */
  readonly name: string;
  /** Until when its PTR holds, its SRV, and whatever else makes it worth keeping. */
  pointerUntil: number;
  srvUntil: number;
  textUntil: number;
  /** Whether readers have been told of it: while its PTR or its SRV holds. A TXT record alone is no service. */
  listed: boolean;
  srv?: SeenSrv;
  text?: SeenText;
  heardAt: number;
  readonly relayedTo: Set<string>;
}

/** Something that a UPnP device offers, or the device itself. */
export interface SeenOffer {
  readonly kind: "offer";
  readonly link: SeenLink;
  readonly service: string;
  /** The device, mostly a UUID. */
  readonly device: string;
  until: number;
  /** One for each family that announces it. */
  readonly locations: Map<AddressFamily, string>;
  server?: string;
  heardAt: number;
  readonly relayedTo: Set<string>;
}

export type SeenEntry = SeenInstance | SeenOffer;

export interface SeenLink {
  readonly name: string;
  readonly instances: Map<string, SeenInstance>;
  /** By device, then by service. */
  readonly offers: Map<string, Map<string, SeenOffer>>;
  readonly hosts: Map<string, SeenHost>;
  /** Instances by the host their SRV names. */
  readonly hostUsers: Map<string, number>;
}

/** What the parts that listen share. */
export interface SeenTable {
  linkOf(name: string): SeenLink;
  readonly entries: FairLimit<SeenEntry>;
  readonly hosts: FairLimit<SeenHost>;
  /** Says that what is listed is another from now on. */
  changed(): void;
  /** Says that something may end then. */
  due(at: number): void;
}

/** What lives longer is forgotten after 75 minutes all the same: the time to live that RFC 6762 §10 has for most records. */
export const longestLifeMs = 75 * 60_000;

/** RFC 6762 §10.1: what says goodbye is kept for a second, in which another may come to its rescue. */
export const goodbyeMs = 1_000;

/** Text of its own: a part of a packet's text would keep all of it in memory. */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}

/** A source as the name of an owner. */
export function ownerOf(source: Uint8Array): string {
  return Buffer.from(source).toString("latin1");
}
