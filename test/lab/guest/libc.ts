/** The few system calls Node has no words for. */
import koffi from "koffi";

const libc = koffi.load("libc.so.6");
const nativeSocketpair = libc.func("int socketpair(int domain, int type, int protocol, _Out_ int *descriptors)");

const families = { unix: 1 } as const;
const socketTypes = { stream: 1, closeOnExec: 0o2000000 } as const;

/** Two connected stream sockets (socketpair(2)), closed in children. The caller closes both. */
export function socketpair(): readonly [number, number] {
  const descriptors = [-1, -1];
  const result = nativeSocketpair(families.unix, socketTypes.stream | socketTypes.closeOnExec, 0, descriptors) as number;
  const [near, far] = descriptors;
  if (result !== 0 || near === undefined || far === undefined) throw new Error(`socketpair failed with errno ${koffi.errno()}`);
  return [near, far];
}
