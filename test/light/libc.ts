/** The few C functions that Node has no word for. Linux with glibc or musl; calls throw with the errno's name. */
import koffi from "koffi";
import { LabError } from "../lab/lab-error.ts";

const libc = koffi.load(null);

// sys/mount.h
export const MS_BIND = 4096;
export const MS_MOVE = 8192;
const MNT_DETACH = 2;

const symbols = {
  mount: libc.func("int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)"),
  umount2: libc.func("int umount2(const char *target, int flags)"),
  mknod: libc.func("int mknod(const char *path, uint32_t mode, uint64_t device)"),
  ioctl: libc.func("int ioctl(int fd, unsigned long request, _Inout_ int *value)"),
  configure: libc.func("ioctl", "int", ["int", "unsigned long", "void *"]),
  unshare: libc.func("int unshare(int flags)"),
  setns: libc.func("int setns(int fd, int type)"),
  socket: libc.func("int socket(int domain, int type, int protocol)"),
  bind: libc.func("int bind(int fd, const void *address, uint32_t length)"),
  setsockopt: libc.func("int setsockopt(int fd, int level, int name, const void *value, uint32_t length)"),
  sendto: libc.func("int64_t sendto(int fd, const void *bytes, uint64_t size, int flags, const void *address, uint32_t length)"),
  recv: libc.func("int64_t recv(int fd, void *bytes, uint64_t size, int flags)"),
};

const errnoNames = new Map(Object.entries(koffi.os.errno).map(([name, value]) => [value, name]));

/** Calls a function of libc. Throws LabError when it gives -1. */
export function call(name: keyof typeof symbols, ...values: readonly unknown[]): number {
  const result: unknown = symbols[name](...values);
  if (typeof result === "number" && result >= 0) return result;
  const errno = koffi.errno();
  const shown = values.filter((each) => typeof each === "string").join(" ");
  throw new LabError(`${name} ${shown} failed: ${errnoNames.get(errno) ?? `errno ${errno}`}`);
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly type?: string;
  readonly flags?: number;
  readonly data?: string;
}

export function mount({ source, target, type, flags = 0, data }: Mount): void {
  call("mount", source, target, type ?? null, flags, data ?? null);
}

/** Detaches what is mounted at `target`, also when it is in use. */
export function detach(target: string): void {
  call("umount2", target, MNT_DETACH);
}

/** Makes a character device node with mode 0600. Needs the capability in the initial user namespace. */
export function makeCharacterDevice(path: string, major: number, minor: number): void {
  const S_IFCHR = 0o020000;
  // gnu_dev_makedev(): the low eight bits of the minor number, then the major, then the rest of the minor.
  const device = (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
  call("mknod", path, S_IFCHR | 0o600, device);
}
