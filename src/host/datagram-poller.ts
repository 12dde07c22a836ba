/** Waits for many datagram sockets at once, in one thread that does nothing else, and hands out what came in order of arrival. */
import { closeSync, readSync } from "node:fs";
import { constants } from "node:os";
import type { Datagrams, DatagramListener, DatagramSocket } from "./datagram.ts";
import { systemError } from "./datagram.ts";
import { createDatagramReader } from "./datagram-reader.ts";

export interface DatagramPoller extends Disposable {
  /** Replaces the listener of a socket that is there already. A socket that was disposed of leaves by itself. */
  add(socket: DatagramSocket, listener: DatagramListener): void;
  remove(socket: DatagramSocket): void;
  /** `onReadable` is called in each turn in which `descriptor` has something to read: it should read all of it. */
  addReadable(descriptor: number, onReadable: () => void): Disposable;
  /**
   * One turn: blocks until something comes or `timeoutMs` (rounded up) is over, reads at most 32 datagrams from each socket
   * and delivers them by their time of arrival, whichever socket they came over. Returns how many they were. What listeners
   * throw ends the turn, and what was not yet delivered is lost.
   */
  poll(timeoutMs: number): number;
  /** An eventfd: any thread of the process ends the wait by writing a 64-bit 1 to it (`wakeMessage`). */
  readonly wakeDescriptor: number;
}

export interface DatagramPollerOptions {
  /** A socket had an error, which is cleared by that; it stays in. EBADF: it was closed behind our back, and left. */
  readonly onError?: (socket: DatagramSocket, errno: number) => void;
  /** Bytes for one datagram. Default: more than UDP can carry. */
  readonly slotBytes?: number;
}

/** What to write to the wake descriptor. */
export const wakeMessage: Uint8Array = new Uint8Array(BigUint64Array.of(1n).buffer);

const POLLIN = 1;
const POLLNVAL = 0x20;
/** EFD_CLOEXEC | EFD_NONBLOCK. */
const eventfdFlags = 0o2000000 | 0o4000;
/** struct pollfd: descriptor, then wanted and returned events in 16 bits each. */
const pollfdWords = 2;

const { EAGAIN, EBADF, EINTR } = constants.errno;

interface Entry {
  readonly socket: DatagramSocket;
  listener: DatagramListener;
  live: boolean;
}

interface Readable {
  readonly descriptor: number;
  readonly onReadable: () => void;
  live: boolean;
}

/** Throws `relay.socket` when there is no eventfd to be had. */
export function createDatagramPoller({ calls }: Pick<Datagrams, "calls">, options: DatagramPollerOptions = {}): DatagramPoller {
  const { onError = () => {}, slotBytes = 64 << 10 } = options;
  const reader = createDatagramReader<Entry>(calls, slotBytes);
  const entries = new Map<DatagramSocket, Entry>();
  const readables = new Set<Readable>();
  const wakeDescriptor = calls.eventfd(0, eventfdFlags);
  if (wakeDescriptor < 0) throw systemError("cannot make an eventfd", calls.errno());
  const wakeCount = new Uint8Array(8);

  /** What `pollfds` describes: the wake descriptor, then `polledReadables`, then `polled`. */
  let polled: readonly Entry[] = [];
  let polledReadables: readonly Readable[] = [];
  let pollfds = new Int32Array(pollfdWords);
  let stale = true;
  let first = 0;
  let open = true;

  const leave = (entry: Entry): void => {
    entry.live = false;
    entries.delete(entry.socket);
    stale = true;
  };

  const arrange = (): void => {
    for (const entry of polled) if (entry.live && entry.socket.closed) leave(entry);
    if (!stale) return;
    for (const entry of entries.values()) if (entry.socket.closed) leave(entry);
    stale = false;
    polled = [...entries.values()];
    polledReadables = [...readables];
    const descriptors = [
      wakeDescriptor,
      ...polledReadables.map(({ descriptor }) => descriptor),
      ...polled.map(({ socket }) => socket.descriptor),
    ];
    pollfds = new Int32Array(descriptors.flatMap((descriptor) => [descriptor, POLLIN]));
  };

  /** The events that the kernel returned, in the upper half of the second word. */
  const returned = (index: number): number => (pollfds[index * pollfdWords + 1] ?? 0) >>> 16;

  const readSockets = (): void => {
    const offset = 1 + polledReadables.length;
    const count = polled.length;
    let ready = 0;
    for (let index = 0; index < count; index += 1) if (returned(offset + index) !== 0) ready += 1;
    const from = first < count ? first : 0;
    for (let step = 0; step < count && ready > 0; step += 1) {
      const index = (from + step) % count;
      const events = returned(offset + index);
      const entry = polled[index];
      if (events === 0 || entry === undefined) continue;
      // More sockets than there is room for: the next turn begins here, so that none waits for ever.
      if (reader.full()) {
        first = index;
        return;
      }
      const errno = (events & POLLNVAL) === 0 ? reader.read(entry, ready) : EBADF;
      ready -= 1;
      if (errno === 0 || errno === EAGAIN || errno === EINTR) continue;
      if (errno === EBADF) leave(entry);
      onError(entry.socket, errno);
    }
  };

  return {
    wakeDescriptor,
    add(socket, listener) {
      const known = entries.get(socket);
      if (known !== undefined) known.listener = listener;
      else entries.set(socket, { socket, listener, live: true });
      stale = true;
    },
    remove(socket) {
      const entry = entries.get(socket);
      if (entry !== undefined) leave(entry);
    },
    addReadable(descriptor, onReadable) {
      const readable = { descriptor, onReadable, live: true };
      readables.add(readable);
      stale = true;
      return {
        [Symbol.dispose]() {
          readable.live = false;
          readables.delete(readable);
          stale = true;
        },
      };
    },
    poll(timeoutMs) {
      if (!open) return 0;
      arrange();
      const count = pollfds.length / pollfdWords;
      if (calls.poll(pollfds, count, Math.ceil(timeoutMs)) <= 0) return 0;
      if (returned(0) !== 0) readSync(wakeDescriptor, wakeCount);
      reader.clear();
      readSockets();
      for (const [index, readable] of polledReadables.entries()) {
        if (readable.live && returned(1 + index) !== 0) readable.onReadable();
      }
      return reader.deliver(deliverable);
    },
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      entries.clear();
      readables.clear();
      closeSync(wakeDescriptor);
    },
  };
}

/** Who still wants what was read for them. */
function deliverable({ live, socket, listener }: Entry): DatagramListener | undefined {
  return live && !socket.closed ? listener : undefined;
}
