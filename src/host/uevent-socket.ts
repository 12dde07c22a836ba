/**
 * Kernel uevents over netlink (AF_NETLINK, NETLINK_KOBJECT_UEVENT, group 1; include/uapi/linux/netlink.h).
 *
 * libuv cannot poll such a socket, so the kernel is asked to say when there is something to read: signal-driven
 * input (fcntl(2), O_ASYNC) costs no thread, no timer and no polling, and holds up neither the event loop nor the
 * exit of the process. The signal is SIGURG since that is ignored by default: one that comes too late harms nobody.
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { constants, endianness } from "node:os";
import type { HintListener, HintSource } from "./hint-source.ts";
import { untilAborted } from "./hint-source.ts";
import { AerialError } from "../core/errors.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { mayMatter, parseUevent } from "./parse-uevent.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const NETLINK_KOBJECT_UEVENT = 15;
const kernelGroup = 1;

// include/uapi/asm-generic/fcntl.h
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETOWN = 8;
const F_SETSIG = 10;
const O_ASYNC = 0o20000;

/** ioctl_ns(2): the user namespace that owns a namespace. */
const NS_GET_USERNS = 0xb701;
/** Inode of the initial user namespace (include/linux/proc_ns.h, PROC_USER_INIT_INO). */
const initialUserNamespace = 0xeffffffd;

/** UEVENT_BUFFER_SIZE (include/linux/kobject.h) and its header. */
const datagramLimit = 8192;
/** Datagrams taken before the event loop gets its turn again. */
const batch = 256;

const deafness = "the kernel sends its events to no network namespace that a user namespace owns";

const { EAGAIN, EINTR, ENOBUFS, EPERM } = constants.errno;

/** Hints from the kernel's own events. `run` rejects with `host.netlink` where they cannot be had. */
export function createUeventSource(): HintSource {
  return {
    name: "kernel-events",
    hearsAll: true,
    async run(listener, signal) {
      const libc = await loadLibc().catch((error: unknown) => {
        throw new AerialError("host.netlink", "the C library cannot be called", { cause: error });
      });
      const descriptor = openSocket(libc);
      try {
        await receive({ libc, descriptor, listener }, signal);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

interface Receiver {
  readonly libc: Libc;
  readonly descriptor: number;
  readonly listener: HintListener;
}

async function receive({ libc, descriptor, listener }: Receiver, signal: AbortSignal): Promise<void> {
  const buffer = new Uint8Array(datagramLimit);
  let later: NodeJS.Immediate | undefined;
  let fail: (error: AerialError) => void = () => {};
  const failure = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });

  const drain = (): void => {
    clearImmediate(later);
    let matters = false;
    for (let taken = 0; taken < batch; taken += 1) {
      const length = libc.recv(descriptor, buffer, 0);
      const errno = length < 0 ? libc.errno() : 0;
      if (errno === EAGAIN) {
        if (matters) listener.hint();
        return;
      }
      // ENOBUFS: events were lost, so anything may have changed.
      if (length >= 0) matters ||= mayMatter(parseUevent(buffer.subarray(0, length)));
      else if (errno === ENOBUFS) matters = true;
      else if (errno !== EINTR) return fail(systemError("cannot receive kernel events", errno));
    }
    if (matters) listener.hint();
    later = setImmediate(drain);
  };

  process.on("SIGURG", drain);
  const flags = libc.fcntl(descriptor, F_GETFL, 0);
  try {
    const armed = [
      libc.fcntl(descriptor, F_SETOWN, process.pid),
      libc.fcntl(descriptor, F_SETSIG, constants.signals.SIGURG),
      libc.fcntl(descriptor, F_SETFL, flags | O_ASYNC),
    ];
    if (armed.includes(-1)) throw systemError("cannot ask for a signal on kernel events", libc.errno());
    listener.listening(reachesThisNamespace(libc) ? undefined : deafness);
    drain();
    await Promise.race([untilAborted(signal), failure]);
  } finally {
    libc.fcntl(descriptor, F_SETFL, flags & ~O_ASYNC);
    process.off("SIGURG", drain);
    clearImmediate(later);
  }
}

function openSocket(libc: Libc): number {
  const descriptor = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  if (descriptor < 0) throw systemError("cannot open a socket for kernel events", libc.errno());
  if (libc.bind(descriptor, toNetlinkAddress(kernelGroup)) < 0) {
    const error = systemError("cannot subscribe to kernel events", libc.errno());
    closeSync(descriptor);
    throw error;
  }
  return descriptor;
}

/** struct sockaddr_nl (include/uapi/linux/netlink.h); the kernel chooses the port. */
function toNetlinkAddress(groups: number): Uint8Array {
  const address = new DataView(new ArrayBuffer(12));
  const littleEndian = endianness() === "LE";
  address.setUint16(0, AF_NETLINK, littleEndian);
  address.setUint32(8, groups, littleEndian);
  return new Uint8Array(address.buffer);
}

/**
 * The kernel sends its events to network namespaces that the initial user namespace owns (lib/kobject_uevent.c,
 * uevent_net_broadcast_untagged). In others a socket opens, but stays silent.
 */
function reachesThisNamespace(libc: Libc): boolean {
  let network: number | undefined;
  let owner = -1;
  try {
    network = openSync("/proc/self/ns/net", "r");
    owner = libc.ioctl(network, NS_GET_USERNS);
    // EPERM: the owner is above our own user namespace. That is mostly the initial one; else the timer must do.
    if (owner < 0) return libc.errno() === EPERM;
    return fstatSync(owner).ino === initialUserNamespace;
  } catch {
    return true;
  } finally {
    if (owner >= 0) closeSync(owner);
    if (network !== undefined) closeSync(network);
  }
}

function systemError(what: string, errno: number): AerialError {
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
  return new AerialError("host.netlink", `${what} (${name})`, { details: { errno: name } });
}
