/** Datagram sockets as the relay needs them: synchronous, each on one interface, and deaf to all unicast that is not theirs. */
import { closeSync } from "node:fs";
import { constants } from "node:os";
import { AerialError } from "../core/errors.ts";
import type { AddressFamily } from "../core/relay.ts";
import {
  AF_INET,
  AF_INET6,
  int,
  IP_ADD_MEMBERSHIP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_JOIN_GROUP,
  ipv4Membership,
  ipv6Membership,
  sendingOptions,
  SK_MEMINFO_DROPS,
  SO_BINDTODEVICE,
  SO_BINDTOIFINDEX,
  SO_BROADCAST,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_TIMESTAMPNS,
  SOCK_DGRAM_CLOEXEC_NONBLOCK,
  socketAddress,
  type SocketOption,
  SOL_SOCKET,
} from "./datagram-options.ts";
import { parseAddress } from "./ip-address.ts";
import { type DatagramCalls, loadDatagramCalls } from "./libc-datagram.ts";

/** Where a datagram came from, or goes to. */
export interface DatagramAddress {
  readonly family: AddressFamily;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  readonly port: number;
}

/** Called for each datagram. `payload` and `source.bytes` are views that are overwritten after the call. */
export type DatagramListener = (payload: Uint8Array, source: DatagramAddress, meta: DatagramMeta) => void;

interface DatagramMeta {
  /** The kernel's time of arrival in milliseconds with fractions (SO_TIMESTAMPNS), to order what came over several sockets. */
  readonly arrivedAt: number;
  /** It was longer than the buffer and is not whole. */
  readonly truncated: boolean;
}

export interface DatagramSocket extends Disposable {
  readonly descriptor: number;
  readonly family: AddressFamily;
  /** The interface's index. */
  readonly linkIndex: number;
  /** The port it is bound to. */
  readonly port: number;
  /** Disposed of. */
  readonly closed: boolean;
  /** 0, or the error number. IPv6 link-local destinations are on this socket's interface. Never throws, never blocks. */
  send(payload: Uint8Array, to: DatagramAddress): number;
  /** Datagrams the kernel dropped because nobody read them in time, since the socket was opened. */
  overrun(): number;
}

export interface DatagramLink {
  readonly name: string;
  readonly index: number;
}

interface GroupOptions {
  readonly family: AddressFamily;
  readonly link: DatagramLink;
  /** A multicast group; or 255.255.255.255, to hear broadcasts: then those sent by this host, this socket's too, are among them. */
  readonly group: string;
  readonly port: number;
  /** TTL or hop limit of what is sent to groups; 255, and any for broadcast, goes for unicast too. */
  readonly hops: number;
}

interface ReplyOptions {
  readonly family: AddressFamily;
  readonly link: DatagramLink;
  readonly hops: number;
}

export interface Datagrams {
  /**
   * Hears one group on one link and nothing else: it is bound to the group's address, so it never gets unicast, neither its
   * own nor that of others on the port. Sends from the port and the link's own address. Throws `relay.socket`.
   */
  openGroup(options: GroupOptions): DatagramSocket;
  /** Has a port of its own, to ask on a link on behalf of one asker and hear the unicast answers. Throws `relay.socket`. */
  openReply(options: ReplyOptions): DatagramSocket;
  /** What works less well than it could, in sentences, and which capability is missing. */
  readonly notes: ReadonlySet<string>;
  readonly calls: DatagramCalls;
}

const broadcast = "255.255.255.255";
const groupBufferBytes = 4 << 20;
const replyBufferBytes = 256 << 10;

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

const { EADDRNOTAVAIL, EAFNOSUPPORT, EBADF, ENODEV, ENOPROTOOPT } = constants.errno;

/** Rejects with `relay.socket` where this platform's sockets are not known. */
export async function openDatagrams(): Promise<Datagrams> {
  const calls = await loadDatagramCalls();
  const notes = new Set<string>();
  const open = (setUp: SetUp): DatagramSocket => openSocket({ calls, notes }, setUp);
  return {
    calls,
    notes,
    openGroup({ family, link, group, port, hops }) {
      const bytes = parseAddress(group);
      if (bytes === undefined || bytes.length !== (family === 4 ? 4 : 16)) {
        throw new AerialError("relay.socket", `${group} is no IPv${family} group`);
      }
      const membership: SocketOption =
        family === 4
          ? { name: "IP_ADD_MEMBERSHIP", level: IPPROTO_IP, option: IP_ADD_MEMBERSHIP, value: ipv4Membership(bytes, link.index) }
          : { name: "IPV6_JOIN_GROUP", level: IPPROTO_IPV6, option: IPV6_JOIN_GROUP, value: ipv6Membership(bytes, link.index) };
      return open({
        what: `a socket for ${group} port ${port} on ${link.name}`,
        address: { family, bytes, port },
        link,
        // Both, since programs that set only one of them share the port with nobody who does not (SO_REUSEPORT: of the same user).
        // Multicast goes to every socket on the port, however they share it.
        before: [socketOption("SO_REUSEADDR", SO_REUSEADDR, 1), socketOption("SO_REUSEPORT", SO_REUSEPORT, 1)],
        after: group === broadcast ? [] : [membership],
        hops,
        bufferBytes: groupBufferBytes,
      });
    },
    openReply({ family, link, hops }) {
      return open({
        what: `a socket for answers on ${link.name}`,
        address: { family, bytes: new Uint8Array(family === 4 ? 4 : 16), port: 0 },
        link,
        before: [],
        after: [],
        hops,
        bufferBytes: replyBufferBytes,
      });
    },
  };
}

interface SetUp {
  readonly what: string;
  readonly address: DatagramAddress;
  readonly link: DatagramLink;
  readonly before: readonly SocketOption[];
  readonly after: readonly SocketOption[];
  readonly hops: number;
  readonly bufferBytes: number;
}

interface Kernel {
  readonly calls: DatagramCalls;
  readonly notes: Set<string>;
}

function openSocket(kernel: Kernel, { what, address, link, before, after, hops, bufferBytes }: SetUp): DatagramSocket {
  const { calls } = kernel;
  const { family } = address;
  const descriptor = calls.socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM_CLOEXEC_NONBLOCK, 0);
  if (descriptor < 0) throw systemError(`cannot open ${what}: socket`, calls.errno());
  const must = (call: string, result: number): void => {
    if (result >= 0) return;
    const errno = calls.errno();
    const gone = call.endsWith("_MULTICAST_IF") && (errno === EADDRNOTAVAIL || errno === ENODEV);
    throw systemError(`cannot open ${what}: ${call}`, errno, gone ? "; there is no such interface" : "");
  };
  const set = ({ name, level, option, value }: SocketOption): void =>
    must(name, calls.setsockopt(descriptor, level, option, value, value.length));
  try {
    bindToLink(kernel, descriptor, { what, link });
    for (const option of before) set(option);
    set(socketOption("SO_TIMESTAMPNS", SO_TIMESTAMPNS, 1));
    set(socketOption("SO_BROADCAST", SO_BROADCAST, 1));
    // What is 255 says "from this link" to who checks it (RFC 6762 §11), in unicast too. Broadcasts take the TTL of unicast.
    const everywhere = hops === 255 || address.bytes.every((byte) => byte === 255);
    for (const option of sendingOptions(family, { linkIndex: link.index, hops, everywhere })) set(option);
    enlargeBuffer(kernel, descriptor, bufferBytes);
    const bound = socketAddress(address, link.index);
    must("bind", calls.bind(descriptor, bound, bound.length));
    for (const option of after) set(option);
    must("getsockname", calls.getsockname(descriptor, bound, Uint32Array.of(bound.length)));
    const port = new DataView(bound.buffer).getUint16(2);
    return new BoundSocket(calls, { descriptor, family, linkIndex: link.index, port });
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The interface by its number: a new one of the same name is another. Older kernels know the name only. */
function bindToLink({ calls }: Kernel, descriptor: number, { what, link }: { what: string; link: DatagramLink }): void {
  const index = int(link.index);
  if (calls.setsockopt(descriptor, SOL_SOCKET, SO_BINDTOIFINDEX, index, index.length) === 0) return;
  const name = new TextEncoder().encode(`${link.name}\0`);
  if (calls.errno() === ENOPROTOOPT && calls.setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, name.length) === 0) return;
  const errno = calls.errno();
  // Linux 5.7 and later ask for no capability (net/core/sock.c, sock_bindtoindex_locked).
  const needs = errno === constants.errno.EPERM ? "; CAP_NET_RAW is missing, which kernels before 5.7 ask for" : "";
  throw systemError(`cannot open ${what}: SO_BINDTODEVICE`, errno, needs);
}

/** As much as we may have: too little costs datagrams in bursts, and nothing else. */
function enlargeBuffer({ calls, notes }: Kernel, descriptor: number, bytes: number): void {
  const wanted = int(bytes);
  if (calls.setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, wanted, wanted.length) === 0) return;
  calls.setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, wanted, wanted.length);
  const size = Uint32Array.of(0);
  calls.getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, size, Uint32Array.of(4));
  // The kernel doubles what it is asked for, to have room for its own headers (socket(7)).
  const granted = (size[0] ?? 0) / 2;
  if (granted >= bytes) return;
  notes.add(`CAP_NET_ADMIN is missing: receive buffers are limited to ${Math.floor(granted / 1024)} KiB by net.core.rmem_max`);
}

interface OpenSocket {
  readonly descriptor: number;
  readonly family: AddressFamily;
  readonly linkIndex: number;
  readonly port: number;
}

/** A class, so that all sockets are of one shape: code that meets many shapes looks up each property each time. */
class BoundSocket implements DatagramSocket {
  readonly descriptor: number;
  readonly family: AddressFamily;
  readonly linkIndex: number;
  readonly port: number;
  closed = false;
  private readonly calls: DatagramCalls;
  /** struct sockaddr_in or sockaddr_in6, to be filled in. */
  private readonly target: Uint8Array;
  private readonly addressAt: number;
  private readonly addressBytes: number;
  private dropped = 0;

  constructor(calls: DatagramCalls, { descriptor, family, linkIndex, port }: OpenSocket) {
    this.calls = calls;
    this.descriptor = descriptor;
    this.family = family;
    this.linkIndex = linkIndex;
    this.port = port;
    this.addressAt = family === 4 ? 4 : 8;
    this.addressBytes = family === 4 ? 4 : 16;
    this.target = socketAddress({ family, bytes: new Uint8Array(this.addressBytes), port: 0 }, linkIndex);
  }

  send(payload: Uint8Array, { bytes, port }: DatagramAddress): number {
    const { target, addressAt, addressBytes } = this;
    // The number may be another's by now.
    if (this.closed) return EBADF;
    if (bytes.length !== addressBytes) return EAFNOSUPPORT;
    target[2] = port >> 8;
    target[3] = port & 0xff;
    for (let index = 0; index < addressBytes; index += 1) target[addressAt + index] = bytes[index] ?? 0;
    const sent = this.calls.sendto(this.descriptor, payload, payload.length, MSG_DONTWAIT | MSG_NOSIGNAL, target, target.length);
    return sent < 0 ? this.calls.errno() : 0;
  }

  overrun(): number {
    const memory = new Uint32Array(SK_MEMINFO_DROPS + 1);
    const length = Uint32Array.of(memory.byteLength);
    if (!this.closed && this.calls.getsockopt(this.descriptor, SOL_SOCKET, SO_MEMINFO, memory, length) === 0) {
      this.dropped = memory[SK_MEMINFO_DROPS] ?? 0;
    }
    return this.dropped;
  }

  [Symbol.dispose](): void {
    if (this.closed) return;
    this.overrun();
    this.closed = true;
    closeSync(this.descriptor);
  }
}

function socketOption(name: string, option: number, value: number): SocketOption {
  return { name, level: SOL_SOCKET, option, value: int(value) };
}

/** Also for other calls on sockets: `what` failed with `errno`. */
export function systemError(what: string, errno: number, why = ""): AerialError {
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
  return new AerialError("relay.socket", `${what} (${name}${why})`, { details: { errno: name } });
}
