/** The host's network interfaces: what the kernel has, and word when that changes. */
import { closeSync } from "node:fs";
import { constants } from "node:os";
import type { AddressFamily } from "../core/relay.ts";
import { systemError } from "./datagram.ts";
import { type DatagramCalls, loadDatagramCalls } from "./libc-datagram.ts";
import { type NetlinkMessage, parseMessages, toI32 } from "./netlink.ts";
import { encodeAddressesRequest, encodeLinksRequest, toNetworkLinks } from "./parse-links.ts";

export interface LinkAddress {
  readonly family: AddressFamily;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  readonly prefixLength: number;
  /** As people write it, without prefix. */
  readonly text: string;
}

export interface NetworkLink {
  readonly name: string;
  /** The kernel's number for it; a new one each time an interface is made. */
  readonly index: number;
  readonly mtu: number;
  /** Administratively up and with a carrier. */
  readonly up: boolean;
  readonly loopback: boolean;
  /** 802.1Q: its VLAN id. */
  readonly vlan?: number;
  /** Tentative IPv6 addresses are left out. */
  readonly addresses: readonly LinkAddress[];
}

export interface NetworkLinks extends Disposable {
  /** All interfaces as they are now, by index. Throws `relay.socket` when the kernel does not say. */
  links(): readonly NetworkLink[];
  /** Readable when an interface or an address may have changed. */
  readonly descriptor: number;
  /** Takes what made `descriptor` readable. True when something changed, or when the kernel had more to tell than there was room for. */
  drain(): boolean;
}

const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOCK_NONBLOCK = 0o4000;
/** RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR. */
const changesOfLinksAndAddresses = 0x1 | 0x10 | 0x100;

const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const answerTimeoutSeconds = 2;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_DUMP_INTR = 0x10;
/** Dumps that changes cut across before it is taken as it is: the change is told by `descriptor`. */
const attempts = 5;

/** The kernel fills what it is given, up to 32 KiB (net/netlink/af_netlink.c, netlink_dump). */
const bufferBytes = 64 << 10;
/** Datagrams taken in one turn. */
const batch = 1000;

const { EAGAIN, EINTR, ENOBUFS } = constants.errno;

/** Rejects with `relay.socket` where netlink cannot be had. Works in the network namespace of this process. */
export async function openNetworkLinks(): Promise<NetworkLinks> {
  const calls = await loadDatagramCalls();
  const [asking, descriptor] = openRouteSockets(calls);
  // struct timeval
  const timeout = new Uint8Array(BigInt64Array.of(BigInt(answerTimeoutSeconds), 0n).buffer);
  calls.setsockopt(asking, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
  const buffer = new Uint8Array(bufferBytes);
  const dump = createDump({ calls, descriptor: asking, buffer });
  let closed = false;
  return {
    descriptor,
    links: () => toNetworkLinks(dump(encodeLinksRequest), dump(encodeAddressesRequest)),
    drain() {
      let changed = false;
      for (let taken = 0; taken < batch; taken += 1) {
        const length = calls.recv(descriptor, buffer, buffer.length, 0);
        const errno = length < 0 ? calls.errno() : 0;
        if (errno === EAGAIN) break;
        // ENOBUFS: changes were lost, so anything may have changed.
        if (errno !== EINTR) changed = true;
        if (errno !== 0 && errno !== EINTR && errno !== ENOBUFS) break;
      }
      return changed;
    },
    [Symbol.dispose]() {
      if (closed) return;
      closed = true;
      closeSync(asking);
      closeSync(descriptor);
    },
  };
}

/** One to ask by, and one that hears of changes. */
function openRouteSockets(calls: DatagramCalls): readonly [asking: number, hearing: number] {
  const asking = openRouteSocket(calls, { flags: 0, groups: 0 });
  try {
    return [asking, openRouteSocket(calls, { flags: SOCK_NONBLOCK, groups: changesOfLinksAndAddresses })];
  } catch (error) {
    closeSync(asking);
    throw error;
  }
}

function openRouteSocket(calls: DatagramCalls, { flags, groups }: { flags: number; groups: number }): number {
  const descriptor = calls.socket(AF_NETLINK, SOCK_RAW_CLOEXEC | flags, NETLINK_ROUTE);
  if (descriptor < 0) throw systemError("cannot open a netlink socket", calls.errno());
  const address = netlinkAddress(groups);
  if (calls.bind(descriptor, address, address.length) === 0) return descriptor;
  const error = systemError("cannot bind a netlink socket", calls.errno());
  closeSync(descriptor);
  throw error;
}

/** struct sockaddr_nl (include/uapi/linux/netlink.h); to the kernel, or with a port of its choice. */
function netlinkAddress(groups: number): Uint8Array {
  const address = new DataView(new ArrayBuffer(12));
  address.setUint16(0, AF_NETLINK, true);
  address.setUint32(8, groups, true);
  return new Uint8Array(address.buffer);
}

interface Asking {
  readonly calls: DatagramCalls;
  readonly descriptor: number;
  readonly buffer: Uint8Array;
}

type Encode = (sequence: number) => Uint8Array;

/** Asks for a whole table and waits for it. */
function createDump({ calls, descriptor, buffer }: Asking): (encode: Encode) => readonly NetlinkMessage[] {
  const kernel = netlinkAddress(0);
  let sequence = 0;

  const receive = (): readonly NetlinkMessage[] => {
    for (;;) {
      const length = calls.recv(descriptor, buffer, buffer.length, 0);
      // A copy: the table comes in several parts.
      if (length >= 0) return parseMessages(buffer.slice(0, length)).filter((message) => message.sequence === sequence);
      const errno = calls.errno();
      if (errno !== EINTR) throw systemError("the kernel does not list the network interfaces", errno);
    }
  };

  /** Undefined when the table changed meanwhile, so that rows may be missing or doubled (NLM_F_DUMP_INTR). */
  const ask = (encode: Encode, last: boolean): readonly NetlinkMessage[] | undefined => {
    sequence = (sequence + 1) >>> 0;
    const request = encode(sequence);
    if (calls.sendto(descriptor, request, request.length, 0, kernel, kernel.length) < 0) {
      throw systemError("cannot ask the kernel for its network interfaces", calls.errno());
    }
    const rows: NetlinkMessage[] = [];
    let interrupted = false;
    for (;;) {
      for (const message of receive()) {
        interrupted ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
        // Both carry a negative error number, or 0.
        const errno = -(toI32(message.payload) ?? 0);
        if (message.type === NLMSG_ERROR || (message.type === NLMSG_DONE && errno > 0)) {
          if (errno !== EINTR) throw systemError("the kernel refuses to list the network interfaces", errno);
          interrupted = true;
        }
        if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) return interrupted && !last ? undefined : rows;
        rows.push(message);
      }
    }
  };

  return (encode) => {
    for (let attempt = 1; ; attempt += 1) {
      const rows = ask(encode, attempt === attempts);
      if (rows !== undefined) return rows;
    }
  };
}
