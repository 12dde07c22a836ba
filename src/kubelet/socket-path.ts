/** Paths of unix sockets. */
import { AerialError } from "../core/errors.ts";

/** unix(7): `sun_path` has 108 bytes with its end; libuv cuts off the rest without a word. */
const longest = 107;

/** Gives `path` back, or throws `kubelet.socket-path` where it is too long for a socket. */
export function checkSocketPath(path: string): string {
  const bytes = Buffer.byteLength(path);
  if (bytes > longest)
    throw new AerialError("kubelet.socket-path", `${path} has ${bytes} bytes, and a unix socket's path ${longest} at most`);
  return path;
}
