/** Socket options by number (include/uapi/asm-generic/socket.h, linux/in.h, linux/in6.h), and their values as bytes. */

export const AF_INET = 2;
export const AF_INET6 = 10;
/** SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK. */
export const SOCK_DGRAM_CLOEXEC_NONBLOCK = 2 | 0o2000000 | 0o4000;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_BROADCAST = 6;
export const SO_RCVBUF = 8;
export const SO_REUSEPORT = 15;
export const SO_BINDTODEVICE = 25;
export const SO_RCVBUFFORCE = 33;
export const SO_TIMESTAMPNS = 35;
export const SO_MEMINFO = 55;
export const SO_BINDTOIFINDEX = 62;
/** Place of the count of dropped datagrams in what SO_MEMINFO gives (linux/sock_diag.h). */
export const SK_MEMINFO_DROPS = 8;

export const IPPROTO_IP = 0;
const IP_TTL = 2;
const IP_MTU_DISCOVER = 10;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
export const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;

export const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
export const IPV6_JOIN_GROUP = 20;
const IPV6_MTU_DISCOVER = 23;
const IPV6_V6ONLY = 26;
const IPV6_MULTICAST_ALL = 29;

/** IP_PMTUDISC_DONT: longer datagrams go out in fragments, whatever was heard of the path. */
const fragment = 0;

export interface SocketOption {
  readonly name: string;
  readonly level: number;
  readonly option: number;
  readonly value: Uint8Array;
}

interface Sending {
  readonly linkIndex: number;
  /** TTL or hop limit of multicast. */
  readonly hops: number;
  /** Of unicast and broadcast too. */
  readonly everywhere: boolean;
}

/** How datagrams leave: by this interface, not back to this host, in fragments where they must. And no multicast that was not joined. */
export function sendingOptions(family: 4 | 6, { linkIndex, hops, everywhere }: Sending): readonly SocketOption[] {
  if (family === 4) {
    const ip = (name: string, option: number, value: Uint8Array): SocketOption => ({ name, level: IPPROTO_IP, option, value });
    return [
      ip("IP_MULTICAST_ALL", IP_MULTICAST_ALL, int(0)),
      ip("IP_MULTICAST_IF", IP_MULTICAST_IF, ipv4Membership(new Uint8Array(4), linkIndex)),
      ip("IP_MULTICAST_TTL", IP_MULTICAST_TTL, int(hops)),
      ip("IP_MULTICAST_LOOP", IP_MULTICAST_LOOP, int(0)),
      ip("IP_MTU_DISCOVER", IP_MTU_DISCOVER, int(fragment)),
      ...(everywhere ? [ip("IP_TTL", IP_TTL, int(hops))] : []),
    ];
  }
  const ipv6 = (name: string, option: number, value: number): SocketOption => ({ name, level: IPPROTO_IPV6, option, value: int(value) });
  return [
    ipv6("IPV6_V6ONLY", IPV6_V6ONLY, 1),
    ipv6("IPV6_MULTICAST_ALL", IPV6_MULTICAST_ALL, 0),
    ipv6("IPV6_MULTICAST_IF", IPV6_MULTICAST_IF, linkIndex),
    ipv6("IPV6_MULTICAST_HOPS", IPV6_MULTICAST_HOPS, hops),
    ipv6("IPV6_MULTICAST_LOOP", IPV6_MULTICAST_LOOP, 0),
    ipv6("IPV6_MTU_DISCOVER", IPV6_MTU_DISCOVER, fragment),
    ...(everywhere ? [ipv6("IPV6_UNICAST_HOPS", IPV6_UNICAST_HOPS, hops)] : []),
  ];
}

/** An int as the kernel reads it. */
export function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

/** struct ip_mreqn: group, no address, interface. */
export function ipv4Membership(group: Uint8Array, linkIndex: number): Uint8Array {
  return Uint8Array.of(...group, 0, 0, 0, 0, ...int(linkIndex));
}

/** struct ipv6_mreq: group, interface. */
export function ipv6Membership(group: Uint8Array, linkIndex: number): Uint8Array {
  return Uint8Array.of(...group, ...int(linkIndex));
}

/** struct sockaddr_in or sockaddr_in6; the scope counts for link-local addresses only. */
export function socketAddress({ family, bytes, port }: { family: 4 | 6; bytes: Uint8Array; port: number }, scope: number): Uint8Array {
  const address = new Uint8Array(family === 4 ? 16 : 28);
  const view = new DataView(address.buffer);
  view.setUint16(0, family === 4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  address.set(bytes, family === 4 ? 4 : 8);
  if (family === 6) view.setUint32(24, scope, true);
  return address;
}
