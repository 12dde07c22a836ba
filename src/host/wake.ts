/** An eventfd (eventfd(2)): wakes a thread that waits in the kernel, where messages between threads do not reach it. */
import { closeSync, readSync, writeSync } from "node:fs";
import { AerialError } from "../core/errors.ts";
import { loadDatagramCalls } from "./libc-datagram.ts";

export interface Wake extends Disposable {
  /** To be polled for reading; each read of eight bytes takes all wakes so far. */
  readonly descriptor: number;
  wake(): void;
}

const EFD_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const one = new BigUint64Array([1n]);

/** Opens one. Throws `relay.socket` where it cannot be had. Dispose it only when nobody polls it any more. */
export async function openWake(): Promise<Wake> {
  const libc = await loadDatagramCalls();
  const descriptor = libc.eventfd(0, EFD_CLOEXEC_NONBLOCK);
  if (descriptor < 0) throw new AerialError("relay.socket", `cannot open an eventfd: error number ${libc.errno()}`);
  let open = true;
  return {
    descriptor,
    wake() {
      if (open) writeSync(descriptor, one);
    },
    [Symbol.dispose]() {
      open = false;
      closeSync(descriptor);
    },
  };
}

const taken = new Uint8Array(8);

/** Takes all wakes so far off a descriptor that is ready. */
export function takeWakes(descriptor: number): void {
  readSync(descriptor, taken);
}
