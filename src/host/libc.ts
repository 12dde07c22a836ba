/** The few system calls that Node does not offer, through the C library of the process itself. */
import type { KoffiFunc } from "koffi";
import { AerialError } from "../core/errors.ts";

export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: Uint8Array): number;
  /** SOL_SOCKET options that are a struct or an int. */
  setSocketOption(descriptor: number, option: number, value: Uint8Array): number;
  recv(descriptor: number, buffer: Uint8Array, flags: number): number;
  /** As `recv`, in libuv's thread pool: bound its time with SO_RCVTIMEO. */
  recvAsync(descriptor: number, buffer: Uint8Array): Promise<number>;
  /** In libuv's thread pool. */
  sendAsync(descriptor: number, message: Uint8Array): Promise<number>;
  fcntl(descriptor: number, command: number, argument: number): number;
  ioctl(descriptor: number, request: number): number;
  /** The error number of the last call that returned -1; the asynchronous ones return it negated instead. */
  errno(): number;
}

let loaded: Promise<Libc> | undefined;

/** Loads the C library once, when it is first needed. Rejects where koffi has no build for this platform. */
export function loadLibc(): Promise<Libc> {
  loaded ??= openLibc();
  return loaded;
}

type Call<Arguments extends unknown[]> = KoffiFunc<(...args: Arguments) => number>;

async function openLibc(): Promise<Libc> {
  const { default: koffi } = await import("koffi");
  // The process' own symbols: glibc and musl alike, wherever the file is.
  const library = koffi.load(null);
  const socket: Call<[number, number, number]> = library.func("int socket(int, int, int)");
  const bind: Call<[number, Uint8Array, number]> = library.func("int bind(int, const void *, uint32_t)");
  const setsockopt: Call<[number, number, number, Uint8Array, number]> = library.func(
    "int setsockopt(int, int, int, const void *, uint32_t)",
  );
  const recv: Call<[number, Uint8Array, number, number]> = library.func("long recv(int, void *, size_t, int)");
  const send: Call<[number, Uint8Array, number, number]> = library.func("long send(int, const void *, size_t, int)");
  const fcntl: Call<[number, number, "int", number]> = library.func("int fcntl(int, int, ...)");
  const ioctl: Call<[number, number]> = library.func("int ioctl(int, unsigned long, ...)");
  const solSocket = 1;

  // `call.async` runs in the thread pool, and its errno is to be read right in its callback.
  const inPool = (call: typeof recv, args: Parameters<typeof recv>): Promise<number> =>
    new Promise((resolve, reject) => {
      call.async(...args, (error: unknown, result: number) => {
        if (error === null || error === undefined) resolve(result < 0 ? -koffi.errno() : result);
        else reject(new AerialError("host.netlink", "a system call could not be made", { cause: error }));
      });
    });

  return {
    socket,
    bind: (descriptor, address) => bind(descriptor, address, address.length),
    setSocketOption: (descriptor, option, value) => setsockopt(descriptor, solSocket, option, value, value.length),
    recv: (descriptor, buffer, flags) => recv(descriptor, buffer, buffer.length, flags),
    recvAsync: (descriptor, buffer) => inPool(recv, [descriptor, buffer, buffer.length, 0]),
    sendAsync: (descriptor, message) => inPool(send, [descriptor, message, message.length, 0]),
    fcntl: (descriptor, command, argument) => fcntl(descriptor, command, "int", argument),
    ioctl,
    errno: () => koffi.errno(),
  };
}
