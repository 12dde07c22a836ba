/** Kernel uevents over netlink: saying them, as the owner of a network namespace may, and hearing them. */
import { call } from "./libc.ts";
import { LabError } from "../lab/lab-error.ts";
import type { Uevent } from "./kernel-objects.ts";

// linux/netlink.h, linux/socket.h, lib/kobject_uevent.c
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_KOBJECT_UEVENT = 15;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const kernelGroup = 1;
const UEVENT_SEND = 16;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLMSG_ERROR = 2;
const headerLength = 16;

/** sockaddr_nl of the kernel (`groups` 0) or of its broadcasts. */
function netlinkAddress(groups: number): Buffer {
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups, 8);
  return address;
}

function openSocket(): number {
  return call("socket", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
}

/** `add@/devices/…`, then `NAME=value`, each ended by a NUL. The kernel adds SEQNUM itself. */
function toUeventPayload({ action, path, variables }: Uevent): Buffer {
  const lines = [`${action}@${path}`, `ACTION=${action}`, `DEVPATH=${path}`];
  for (const [name, value] of Object.entries(variables)) lines.push(`${name}=${value}`);
  return Buffer.from(lines.map((line) => `${line}\0`).join(""));
}

/**
 * Gives a function by which the kernel says a uevent to all of this network namespace, as if it were its own
 * (uevent_net_rcv_skb()). The function throws LabError when the kernel refuses.
 */
export function openUeventSpeaker(): (uevent: Uevent) => void {
  const socket = openSocket();
  const kernel = netlinkAddress(0);
  const answer = Buffer.alloc(4096);
  return (uevent) => {
    const payload = toUeventPayload(uevent);
    const header = Buffer.alloc(headerLength);
    header.writeUInt32LE(headerLength + payload.length, 0);
    header.writeUInt16LE(UEVENT_SEND, 4);
    header.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK, 6);
    const message = Buffer.concat([header, payload]);
    call("sendto", socket, message, message.length, 0, kernel, kernel.length);
    call("recv", socket, answer, answer.length, 0);
    const status = answer.readUInt16LE(4) === NLMSG_ERROR ? answer.readInt32LE(headerLength) : 0;
    if (status !== 0) throw new LabError(`the kernel refused a uevent for ${uevent.path}: errno ${-status}`);
  };
}

/** Waits for uevents for ever, blocking the thread; `ready` is called once none can be missed any more. */
export function hearUevents(ready: () => void, hear: (uevent: Readonly<Record<string, string>>) => void): never {
  const socket = openSocket();
  const size = Buffer.alloc(4);
  size.writeInt32LE(4 << 20);
  call("setsockopt", socket, SOL_SOCKET, SO_RCVBUF, size, size.length);
  const address = netlinkAddress(kernelGroup);
  call("bind", socket, address, address.length);
  ready();
  const datagram = Buffer.alloc(8192);
  for (;;) {
    const length = call("recv", socket, datagram, datagram.length, 0);
    const [, ...pairs] = datagram.toString("utf8", 0, length).split("\0");
    hear(Object.fromEntries(pairs.filter((pair) => pair.includes("=")).map((pair) => splitOnce(pair))));
  }
}

function splitOnce(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
