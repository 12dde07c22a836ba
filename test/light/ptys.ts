/** Openable tty nodes: pseudo-terminals bound over names in `/dev`. Pulling one hangs it up, as pulling the stick does. */
import { chmodSync, closeSync, constants, openSync, unlinkSync, writeFileSync } from "node:fs";
import { call, detach, mount, MS_BIND } from "./libc.ts";

// asm-generic/ioctls.h
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;

/** UNIX98_PTY_SLAVE_MAJOR, Documentation/admin-guide/devices.txt. */
const ptyMajor = 136;

export interface Pty {
  /** The descriptor of its far end. */
  readonly farEnd: number;
  /** Of its line. */
  readonly major: number;
  readonly minor: number;
}

export function openPty(): Pty {
  const farEnd = openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY);
  const number = [0];
  call("ioctl", farEnd, TIOCSPTLCK, [0]);
  call("ioctl", farEnd, TIOCGPTN, number);
  return { farEnd, major: ptyMajor, minor: number[0] ?? 0 };
}

/** Binds a pty's line at `path`. */
export function bindPty(path: string, { minor }: Pty): void {
  const line = `/dev/pts/${minor}`;
  chmodSync(line, 0o600);
  writeFileSync(path, "");
  mount({ source: line, target: path, flags: MS_BIND });
}

/** Hangs the line up (its readers see the end, its writers EIO) and takes the node away. */
export function unbindPty(path: string, { farEnd }: Pty): void {
  closeSync(farEnd);
  detach(path);
  unlinkSync(path);
}
