/** The system calls of datagram sockets, synchronous and without a copy. All give -1 on failure; `errno` then says why. */
import { endianness } from "node:os";
import type { KoffiFunc } from "koffi";
import { AerialError } from "../core/errors.ts";

type Call<Arguments extends unknown[]> = KoffiFunc<(...args: Arguments) => number>;

export interface DatagramCalls {
  readonly socket: Call<[family: number, type: number, protocol: number]>;
  readonly bind: Call<[descriptor: number, address: Uint8Array, length: number]>;
  readonly getsockname: Call<[descriptor: number, address: Uint8Array, length: Uint32Array]>;
  readonly setsockopt: Call<[descriptor: number, level: number, option: number, value: Uint8Array, length: number]>;
  readonly getsockopt: Call<[descriptor: number, level: number, option: number, value: Uint32Array, length: Uint32Array]>;
  readonly sendto: Call<
    [descriptor: number, payload: Uint8Array, length: number, flags: number, address: Uint8Array, addressLength: number]
  >;
  readonly recv: Call<[descriptor: number, buffer: Uint8Array, length: number, flags: number]>;
  /** `headers`: an array of struct mmsghdr. */
  readonly recvmmsg: Call<[descriptor: number, headers: Uint8Array, count: number, flags: number, timeout: null]>;
  readonly epoll_create1: Call<[flags: number]>;
  /** `event`: a struct epoll_event. */
  readonly epoll_ctl: Call<[epoll: number, operation: number, descriptor: number, event: Uint8Array]>;
  /** `events`: an array of struct epoll_event. Blocks the thread for up to `timeoutMs`. */
  readonly epoll_wait: Call<[epoll: number, events: Uint8Array, count: number, timeoutMs: number]>;
  readonly eventfd: Call<[initial: number, flags: number]>;
  /** Where bytes are in memory. They stay there only if their ArrayBuffer was allocated as such. */
  readonly addressOf: (bytes: Uint8Array) => bigint;
  /** The error number of the last call that gave -1. */
  readonly errno: () => number;
}

let loaded: Promise<DatagramCalls> | undefined;

/**
 * Loads them once in each thread. Rejects with `relay.socket` on anything but 64-bit little-endian Linux on x86-64 and
 * arm64: struct msghdr and its relatives are written here byte by byte.
 */
export function loadDatagramCalls(): Promise<DatagramCalls> {
  loaded ??= openCalls();
  return loaded;
}

async function openCalls(): Promise<DatagramCalls> {
  const known = process.platform === "linux" && endianness() === "LE" && ["x64", "arm64"].includes(process.arch);
  if (!known) {
    throw new AerialError(
      "relay.socket",
      `datagram sockets are known on Linux on x64 and arm64 only, not ${process.platform} ${process.arch}`,
    );
  }
  const { default: koffi } = await import("koffi").catch((error: unknown) => {
    throw new AerialError("relay.socket", "the C library cannot be called", { cause: error });
  });
  const library = koffi.load(null);
  return {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, const void *, uint32_t)"),
    getsockname: library.func("int getsockname(int, void *, void *)"),
    setsockopt: library.func("int setsockopt(int, int, int, const void *, uint32_t)"),
    getsockopt: library.func("int getsockopt(int, int, int, void *, void *)"),
    sendto: library.func("long sendto(int, const void *, size_t, int, const void *, uint32_t)"),
    recv: library.func("long recv(int, void *, size_t, int)"),
    recvmmsg: library.func("int recvmmsg(int, void *, uint32_t, int, void *)"),
    epoll_create1: library.func("int epoll_create1(int)"),
    epoll_ctl: library.func("int epoll_ctl(int, int, int, void *)"),
    epoll_wait: library.func("int epoll_wait(int, void *, int, int)"),
    eventfd: library.func("int eventfd(uint32_t, int)"),
    addressOf: (bytes) => koffi.address(bytes),
    errno: () => koffi.errno(),
  };
}
