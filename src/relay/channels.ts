/** What is carried: each protocol's groups and ports, and how its packets travel. */
import type { AddressFamily, RelayProtocol } from "../core/relay.ts";
import type { DatagramAddress } from "../host/datagram.ts";
import { parseAddress } from "../host/ip-address.ts";

export interface Channel {
  /** Its own among all. */
  readonly number: number;
  readonly protocol: RelayProtocol;
  readonly family: AddressFamily;
  /** A multicast group, or the limited broadcast address. */
  readonly group: string;
  readonly groupAddress: DatagramAddress;
  readonly port: number;
  /** IP TTL or hop limit of what is sent. */
  readonly hops: number;
}

/** As people call them. */
export const protocolNames = {
  mdns: "mDNS",
  ssdp: "SSDP",
  wsd: "WS-Discovery",
  sonos: "broadcasts",
} as const satisfies Record<RelayProtocol, string>;

type Row = readonly [RelayProtocol, AddressFamily, string, number, number];

/**
 * mDNS: RFC 6762 §3 and, for 255, §11. SSDP: UPnP Device Architecture 2.0 §1.1 (TTL 2) and its annex A for IPv6.
 * WS-Discovery: OASIS 1.1 §2.4 (hop limit 1 is enough for one link). `sonos`: what multicast relays are asked for most
 * beside these: M-SEARCH to the broadcast address, and the older discovery on 6969.
 */
const rows: readonly Row[] = [
  ["mdns", 4, "224.0.0.251", 5353, 255],
  ["mdns", 6, "ff02::fb", 5353, 255],
  ["ssdp", 4, "239.255.255.250", 1900, 2],
  ["ssdp", 6, "ff02::c", 1900, 2],
  ["ssdp", 6, "ff05::c", 1900, 2],
  ["wsd", 4, "239.255.255.250", 3702, 1],
  ["wsd", 6, "ff02::c", 3702, 1],
  ["sonos", 4, "255.255.255.255", 1900, 2],
  ["sonos", 4, "255.255.255.255", 6969, 2],
];

const all: readonly Channel[] = rows.map(([protocol, family, group, port, hops], number) => {
  const groupAddress = { family, bytes: parseAddress(group) ?? new Uint8Array(), port };
  return { number, protocol, family, group, groupAddress, port, hops };
});

/** The channels of these protocols: the same objects each time. */
export function channelsOf(protocols: readonly RelayProtocol[]): readonly Channel[] {
  return all.filter(({ protocol }) => protocols.includes(protocol));
}
