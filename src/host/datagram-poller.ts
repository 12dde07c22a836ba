/** Waits for many datagram sockets at once, in one thread that does nothing else, and hands out what came in order of arrival. */
import { closeSync } from "node:fs";
import { constants } from "node:os";
import { performance } from "node:perf_hooks";
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
}

export interface DatagramPollerOptions {
  /** A socket had an error, which is cleared by that; it stays in. EBADF: it was closed behind our back, and left. */
  readonly onError?: (socket: DatagramSocket, errno: number) => void;
  /** Bytes for one datagram. Default: more than UDP can carry. */
  readonly slotBytes?: number;
}

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
/** struct epoll_event: events in 32 bits and 64 bits of ours, which are packed on x86-64 alone (linux/eventpoll.h). */
const eventBytes = process.arch === "x64" ? 12 : 16;
const dataAt = eventBytes - 8;
/** As many as are told of in one turn. The others are told of in the next ones: epoll goes round. */
const eventsAtOnce = 256;

const { EAGAIN, EBADF, EINTR } = constants.errno;

interface Entry {
  readonly socket: DatagramSocket;
  listener: DatagramListener;
  live: boolean;
}

interface Readable {
  readonly descriptor: number;
  readonly onReadable: () => void;
}

/** Throws `relay.socket` when there is no epoll to be had. */
export function createDatagramPoller({ calls }: Pick<Datagrams, "calls">, options: DatagramPollerOptions = {}): DatagramPoller {
  const { onError = () => {}, slotBytes = 64 << 10 } = options;
  const reader = createDatagramReader<Entry>(calls, slotBytes);
  const entries = new Map<DatagramSocket, Entry>();
  /** By the number that the kernel hands back; none is used twice, so what is told too late is told of nobody. */
  const watched = new Map<number, Entry | Readable>();
  const events = new Uint8Array(eventBytes * eventsAtOnce);
  const eventWords = new DataView(events.buffer);
  const event = new DataView(new ArrayBuffer(eventBytes));
  /** Those that have something in this turn. Counted, since an array that is emptied is made anew. */
  const ready: Entry[] = [];
  const readable: Readable[] = [];
  let readyCount = 0;
  let readableCount = 0;
  let lastNumber = 0;
  /** Added since the last turn. */
  let pending: Entry[] = [];
  let open = true;

  const epoll = calls.epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw systemError("cannot make an epoll", calls.errno());

  /** 0, or the error number. */
  const watch = (descriptor: number, who: Entry | Readable): number => {
    lastNumber += 1;
    event.setUint32(0, EPOLLIN, true);
    event.setUint32(dataAt, lastNumber, true);
    if (calls.epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, new Uint8Array(event.buffer)) < 0) return calls.errno();
    watched.set(lastNumber, who);
    return 0;
  };

  const unwatch = (who: Entry | Readable, descriptor: number | undefined): void => {
    for (const [number, each] of watched) if (each === who) watched.delete(number);
    // One that is closed has left by itself, and its number may be another's by now.
    if (descriptor !== undefined) calls.epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, new Uint8Array(event.buffer));
  };

  const leave = (entry: Entry): void => {
    entry.live = false;
    entries.delete(entry.socket);
    unwatch(entry, entry.socket.closed ? undefined : entry.socket.descriptor);
  };

  const settle = (): void => {
    const added = pending;
    pending = [];
    for (const entry of entries.values()) if (entry.socket.closed) leave(entry);
    for (const entry of added) {
      const errno = entry.live ? watch(entry.socket.descriptor, entry) : 0;
      if (errno === 0) continue;
      leave(entry);
      onError(entry.socket, errno);
    }
  };

  /** Unlike poll(2), epoll_wait(2) is not taken up again after an interruption that nobody handles (signal(7)). */
  const wait = (timeoutMs: number): number => {
    const end = performance.now() + timeoutMs;
    for (let left = timeoutMs; ; left = Math.max(0, end - performance.now())) {
      const count = calls.epoll_wait(epoll, events, eventsAtOnce, Math.ceil(left));
      if (count >= 0 || calls.errno() !== EINTR) return count;
    }
  };

  const sortOut = (count: number): void => {
    readyCount = 0;
    readableCount = 0;
    for (let index = 0; index < count; index += 1) {
      const who = watched.get(eventWords.getUint32(index * eventBytes + dataAt, true));
      if (who === undefined) continue;
      if ("socket" in who) ready[readyCount++] = who;
      else readable[readableCount++] = who;
    }
  };

  const readSockets = (): void => {
    for (let index = 0; index < readyCount; index += 1) {
      const entry = ready[index];
      // The kernel tells of the others again.
      if (reader.full()) return;
      if (entry === undefined || entry.socket.closed) continue;
      const errno = reader.read(entry, readyCount - index);
      if (errno === 0 || errno === EAGAIN || errno === EINTR) continue;
      if (errno === EBADF) leave(entry);
      onError(entry.socket, errno);
    }
  };

  return {
    add(socket, listener) {
      const known = entries.get(socket);
      if (known !== undefined) {
        known.listener = listener;
        return;
      }
      const entry = { socket, listener, live: true };
      entries.set(socket, entry);
      pending.push(entry);
    },
    remove(socket) {
      const entry = entries.get(socket);
      if (entry !== undefined) leave(entry);
    },
    addReadable(descriptor, onReadable) {
      const who = { descriptor, onReadable };
      const errno = watch(descriptor, who);
      if (errno !== 0) throw systemError("cannot watch a descriptor", errno);
      return { [Symbol.dispose]: () => unwatch(who, open ? descriptor : undefined) };
    },
    poll(timeoutMs) {
      if (!open) return 0;
      if (pending.length > 0) settle();
      const count = wait(timeoutMs);
      if (count <= 0) return 0;
      sortOut(count);
      reader.clear();
      readSockets();
      for (let index = 0; index < readableCount; index += 1) readable[index]?.onReadable();
      return reader.deliver(deliverable);
    },
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      entries.clear();
      watched.clear();
      closeSync(epoll);
    },
  };
}

/** Who still wants what was read for them. */
function deliverable({ live, socket, listener }: Entry): DatagramListener | undefined {
  return live && !socket.closed ? listener : undefined;
}
