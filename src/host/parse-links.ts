/** Interfaces and their addresses in rtnetlink's bytes (include/uapi/linux/rtnetlink.h, if_link.h, if_addr.h). */
import { formatAddress } from "./ip-address.ts";
import { encodeAttribute, encodeMessage, type NetlinkMessage, parseAttributes, toU16, toU32 } from "./netlink.ts";
import type { LinkAddress, NetworkLink } from "./network-links.ts";

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;

const NLM_F_REQUEST = 0x001;
const NLM_F_DUMP = 0x300;

/** struct ifinfomsg: family, padding, type (16 bits), index, flags, changed flags (32 bits each). */
const linkHeader = 16;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_SKIP_STATS = 8;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VLAN_ID = 1;

const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_LOWER_UP = 0x10000;

/** struct ifaddrmsg: family, prefix length, flags, scope (8 bits each), index (32 bits). */
const addressHeader = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_OPTIMISTIC = 0x04;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;

const familyOf: Readonly<Record<number, 4 | 6>> = { 2: 4, 10: 6 };

/** Asks for all interfaces, without their counters. */
export function encodeLinksRequest(sequence: number): Uint8Array {
  const mask = encodeAttribute(IFLA_EXT_MASK, new Uint8Array(Uint32Array.of(RTEXT_FILTER_SKIP_STATS).buffer));
  const payload = Uint8Array.of(...new Uint8Array(linkHeader), ...mask);
  return encodeMessage({ type: RTM_GETLINK, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence, payload });
}

/** Asks for all addresses of both families. */
export function encodeAddressesRequest(sequence: number): Uint8Array {
  const payload = new Uint8Array(addressHeader);
  return encodeMessage({ type: RTM_GETADDR, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence, payload });
}

/** What both dumps say together, by index. What is malformed, or belongs to no interface, is left out. Never throws. */
export function toNetworkLinks(links: readonly NetlinkMessage[], addresses: readonly NetlinkMessage[]): readonly NetworkLink[] {
  const byLink = new Map<number, LinkAddress[]>();
  for (const message of addresses) {
    const parsed = toAddress(message);
    if (parsed === undefined) continue;
    const known = byLink.get(parsed.index);
    if (known === undefined) byLink.set(parsed.index, [parsed.address]);
    else known.push(parsed.address);
  }
  return links
    .flatMap((message) => {
      const link = toLink(message);
      return link === undefined ? [] : [{ ...link, addresses: byLink.get(link.index) ?? [] }];
    })
    .sort((one, other) => one.index - other.index);
}

function toLink({ type, payload }: NetlinkMessage): Omit<NetworkLink, "addresses"> | undefined {
  if (type !== RTM_NEWLINK || payload.length < linkHeader) return undefined;
  const attributes = attributesAfter(payload, linkHeader);
  const index = toU32(payload.subarray(4)) ?? 0;
  const flags = toU32(payload.subarray(8)) ?? 0;
  const name = toText(attributes.get(IFLA_IFNAME));
  if (name === undefined || name === "" || index === 0) return undefined;
  const vlan = toVlan(attributes.get(IFLA_LINKINFO));
  return {
    name,
    index,
    mtu: toU32(attributes.get(IFLA_MTU)) ?? 0,
    up: (flags & IFF_UP) !== 0 && (flags & IFF_LOWER_UP) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    ...(vlan !== undefined && { vlan }),
  };
}

function toVlan(info: Uint8Array | undefined): number | undefined {
  if (info === undefined) return undefined;
  const attributes = attributesAfter(info, 0);
  const data = attributes.get(IFLA_INFO_DATA);
  if (toText(attributes.get(IFLA_INFO_KIND)) !== "vlan" || data === undefined) return undefined;
  return toU16(attributesAfter(data, 0).get(IFLA_VLAN_ID));
}

function toAddress({ type, payload }: NetlinkMessage): { readonly index: number; readonly address: LinkAddress } | undefined {
  const family = familyOf[payload[0] ?? 0];
  if (type !== RTM_NEWADDR || family === undefined || payload.length < addressHeader) return undefined;
  const attributes = attributesAfter(payload, addressHeader);
  // The header has room for the first eight flags only.
  const flags = toU32(attributes.get(IFA_FLAGS)) ?? payload[2] ?? 0;
  const tentative = (flags & IFA_F_TENTATIVE) !== 0 && (flags & IFA_F_OPTIMISTIC) === 0;
  if (tentative || (flags & IFA_F_DADFAILED) !== 0) return undefined;
  // On point-to-point links IFA_ADDRESS is the other end's.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  const prefixLength = payload[1] ?? 0;
  const length = family === 4 ? 4 : 16;
  if (bytes?.length !== length || prefixLength > length * 8) return undefined;
  // A copy: what was received into is used again.
  const own = Uint8Array.from(bytes);
  return { index: toU32(payload.subarray(4)) ?? 0, address: { family, bytes: own, prefixLength, text: formatAddress(own) } };
}

function attributesAfter(payload: Uint8Array, header: number): ReadonlyMap<number, Uint8Array> {
  return new Map(parseAttributes(payload.subarray(header)).map(({ type, value }) => [type, value]));
}

/** Up to the first NUL. */
function toText(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
}
