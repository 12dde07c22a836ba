/** The relay's words, as the API, the CLI and the inventory hear them. */

/** What is carried. `wsd`: WS-Discovery. `sonos`: the broadcasts of older Sonos and of devices like them. */
export type RelayProtocol = "mdns" | "ssdp" | "wsd" | "sonos";

export type AddressFamily = 4 | 6;

/** Why a packet, or a part of one, went no further; `relayed` when it did. */
export type RelayVerdict =
  | "relayed"
  /** Only in part: rules or scope took records or questions out. */
  | "trimmed"
  | "own"
  | "off-link"
  | "wrong-port"
  | "malformed"
  | "too-large"
  | "echo"
  | "rate"
  | "rule"
  | "scope"
  | "multi-homed"
  | "standby"
  | "nobody"
  | "send-failed";

export interface RelayLinkStatus {
  /** As configured: what rules call it. */
  readonly name: string;
  /** The kernel's name of the interface; absent while there is none. */
  readonly interface?: string;
  readonly vlan?: number;
  readonly mtu?: number;
  readonly addresses: readonly string[];
  /** `up`: heard and sent to. `failed`: it is up, but no socket can be opened that would be of use. */
  readonly state: "up" | "down" | "absent" | "failed";
  /** What is missing, in a sentence: all where it is not up, else a part. */
  readonly why?: string;
  /** Packets heard, by what became of them. */
  readonly heard: Readonly<Partial<Record<RelayVerdict, number>>>;
  readonly sent: number;
  /** Lost in the kernel because nobody read fast enough. */
  readonly overrun: number;
}

export interface RelayPairStatus {
  readonly links: readonly [string, string];
  /** Absent when it is so for both. */
  readonly family?: AddressFamily;
  readonly role: "active" | "standby";
  /** Who relays instead, or by what right we do, in a sentence. */
  readonly why: string;
  readonly since: string;
}

export interface RelayRuleStatus {
  /** One line, as it was expanded: `deny ask,offer _matter._tcp from any to any (default: matter)`. */
  readonly text: string;
  readonly hits: number;
}

export interface RelayStatus {
  readonly id: string;
  readonly protocols: readonly RelayProtocol[];
  readonly links: readonly RelayLinkStatus[];
  readonly pairs: readonly RelayPairStatus[];
  readonly rules: readonly RelayRuleStatus[];
  readonly searches: number;
  readonly services: number;
}

/** Something that offers itself on a link: a DNS-SD instance or a UPnP device. Times are ISO 8601, UTC. */
export interface SeenService {
  readonly protocol: RelayProtocol;
  /** `_hap._tcp`, or a UPnP type such as `urn:schemas-upnp-org:device:ZonePlayer:1`. */
  readonly service: string;
  /** The instance's name in plain text, or the UPnP device's uuid. */
  readonly instance: string;
  readonly host?: string;
  readonly port?: number;
  readonly addresses: readonly string[];
  /** DNS-SD TXT (keys in lower case) or UPnP headers such as `location`. */
  readonly text: Readonly<Record<string, string>>;
  /** Set while a part of it has not been heard yet: SRV or TXT. */
  readonly unresolved?: true;
  /** The link it was heard on, by its configured name. */
  readonly link: string;
  readonly lastSeen: string;
  /** When it is forgotten if not heard again. */
  readonly expires: string;
  readonly relayedTo: readonly string[];
}

/** One packet and what became of it. */
export interface RelayTrace {
  readonly at: string;
  readonly protocol: RelayProtocol;
  readonly family: AddressFamily;
  readonly from: string;
  readonly source: string;
  readonly bytes: number;
  /** What it says: `query _hap._tcp.local PTR`, `NOTIFY ssdp:alive upnp:rootdevice`. Printable. */
  readonly what: string;
  readonly to?: string;
  readonly verdict: RelayVerdict;
  readonly why?: string;
}
