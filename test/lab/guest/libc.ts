/** The few system calls Node has no words for. Numbers are those of x86-64 Linux. */
import koffi from "koffi";

const libc = koffi.load("libc.so.6");
const native = {
  socketpair: libc.func("int socketpair(int domain, int type, int protocol, _Out_ int *descriptors)"),
  socket: libc.func("int socket(int domain, int type, int protocol)"),
  setsockopt: libc.func("int setsockopt(int socket, int level, int name, const void *value, uint length)"),
  send: libc.func("long send(int socket, const void *data, ulong length, int flags)"),
  recv: libc.func("long recv(int socket, _Out_ uint8_t *data, ulong length, int flags)"),
  close: libc.func("int close(int descriptor)"),
};

const families = { unix: 1, netlink: 16 } as const;
const socketTypes = { stream: 1, raw: 3, closeOnExec: 0o2000000 } as const;
const socketLevel = 1;
const receiveTimeout = 20;

function checked(call: string, result: unknown): number {
  if (typeof result !== "number" || result < 0) throw new Error(`${call} failed with errno ${koffi.errno()}`);
  return result;
}

/** Two connected stream sockets (socketpair(2)), closed in children. The caller closes both. */
export function socketpair(): readonly [number, number] {
  const descriptors: [number, number] = [-1, -1];
  checked("socketpair", native.socketpair(families.unix, socketTypes.stream | socketTypes.closeOnExec, 0, descriptors));
  return descriptors;
}

export interface NetlinkSocket extends Disposable {
  send(message: Uint8Array): void;
  /** The next datagram; throws when none comes for a second. Blocks the process until then. */
  receive(): Buffer;
}

/** A netlink socket of a protocol (netlink(7)); unbound, as requests and their answers need no more. */
export function openNetlink(protocol: number): NetlinkSocket {
  const socket = checked("socket", native.socket(families.netlink, socketTypes.raw | socketTypes.closeOnExec, protocol));
  const oneSecond = Buffer.alloc(16);
  oneSecond.writeBigInt64LE(1n);
  checked("setsockopt", native.setsockopt(socket, socketLevel, receiveTimeout, oneSecond, oneSecond.length));
  return {
    send: (message) => void checked("send", native.send(socket, message, message.length, 0)),
    receive() {
      const buffer = Buffer.alloc(32 * 1024);
      return buffer.subarray(0, checked("recv", native.recv(socket, buffer, buffer.length, 0)));
    },
    [Symbol.dispose]: () => void native.close(socket),
  };
}
