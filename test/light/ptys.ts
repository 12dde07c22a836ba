/** Openable tty nodes: pseudo-terminals bound over names in `/dev`. Pulling one hangs it up, as pulling the stick does. */
import { chmodSync, closeSync, constants, openSync, unlinkSync, writeFileSync } from "node:fs";
import { call, detach, mount, MS_BIND } from "./libc.ts";

// asm-generic/ioctls.h
const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;

/** Binds a new pty's line at `path`; gives the descriptor of its far end. */
export function bindPty(path: string): number {
  const farEnd = openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY);
  const number = [0];
  call("ioctl", farEnd, TIOCSPTLCK, [0]);
  call("ioctl", farEnd, TIOCGPTN, number);
  const line = `/dev/pts/${number[0]}`;
  chmodSync(line, 0o600);
  writeFileSync(path, "");
  mount({ source: line, target: path, flags: MS_BIND });
  return farEnd;
}

/** Hangs the line up (its readers see the end, its writers EIO) and takes the node away. */
export function unbindPty(path: string, farEnd: number): void {
  closeSync(farEnd);
  detach(path);
  unlinkSync(path);
}
