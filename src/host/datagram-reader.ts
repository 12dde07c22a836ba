/** Datagrams read in batches into memory that is laid out once (recvmmsg(2)), and given out by time of arrival. */
import type { DatagramAddress, DatagramListener, DatagramSocket } from "./datagram.ts";
import type { DatagramCalls } from "./libc-datagram.ts";

export interface DatagramReader<Owner extends { readonly socket: DatagramSocket }> {
  /** Forgets what was read. */
  clear(): void;
  /** Whether there is no room for more. */
  full(): boolean;
  /** Reads up to 32 datagrams, less when `waiting` sockets, this one counted, must share what room is left. 0, or the error number. */
  read(owner: Owner, waiting: number): number;
  /** Hands out all that was read, oldest first; those whose listener is gone by then are left out. Returns how many it handed out. */
  deliver(listenerOf: (owner: Owner) => DatagramListener | undefined): number;
}

const slots = 256;
const batch = 32;

// struct mmsghdr on 64-bit Linux: a struct msghdr and the length received (include/linux/socket.h).
const headerBytes = 64;
const nameLengthAt = 8;
const controlLengthAt = 40;
const flagsAt = 48;
const lengthAt = 56;
const headerWords = headerBytes / 4;

/** struct sockaddr_in6, rounded up. */
const nameBytes = 32;
/** struct cmsghdr and a struct timespec are 32. */
const controlBytes = 64;
const SCM_TIMESTAMPNS = 35;
const SOL_SOCKET = 1;

const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;

const noAddress = new Uint8Array();

const twoTo32 = 2 ** 32;

/** What one read brought: slots `next` to `end`, in order of arrival. */
interface Run<Owner> {
  readonly owner: Owner;
  next: number;
  readonly end: number;
}

export function createDatagramReader<Owner extends { readonly socket: DatagramSocket }>(
  calls: DatagramCalls,
  slotBytes: number,
): DatagramReader<Owner> {
  const { recvmmsg, errno } = calls;
  // Slots that are a power of two apart would share the same few lines of the processor's caches.
  const stride = slotBytes + 192;
  const payloads = new ArrayBuffer(slots * stride);
  const names = new Uint8Array(new ArrayBuffer(slots * nameBytes));
  const controls = new Uint32Array(new ArrayBuffer(slots * controlBytes));
  const headers = new Uint32Array(new ArrayBuffer(slots * headerBytes));
  /** Keeps the vectors that the headers point to. */
  const vectors = layOut();
  const headersFrom = Array.from({ length: slots }, (_, slot) => new Uint8Array(headers.buffer, slot * headerBytes));
  const ipv4Sources = Array.from({ length: slots }, (_, slot) => names.subarray(slot * nameBytes + 4, slot * nameBytes + 8));
  const ipv6Sources = Array.from({ length: slots }, (_, slot) => names.subarray(slot * nameBytes + 8, slot * nameBytes + 24));
  const views: (Uint8Array | undefined)[] = Array.from<undefined>({ length: slots });
  const arrivals = new Float64Array(slots);
  /** Counted, since an array that is emptied is made anew. */
  const runs: Run<Owner>[] = [];
  let runCount = 0;
  let used = 0;

  function layOut(): BigUint64Array {
    const pointers = new BigUint64Array(headers.buffer);
    const vectors = new BigUint64Array(new ArrayBuffer(slots * 16));
    const [payloadsAt, namesAt, controlsAt, vectorsAt] = [
      new Uint8Array(payloads),
      names,
      new Uint8Array(controls.buffer),
      new Uint8Array(vectors.buffer),
    ].map((bytes) => calls.addressOf(bytes));
    for (let slot = 0; slot < slots; slot += 1) {
      const of = (base: bigint | undefined, size: number): bigint => (base ?? 0n) + BigInt(slot * size);
      vectors[slot * 2] = of(payloadsAt, stride);
      vectors[slot * 2 + 1] = BigInt(slotBytes);
      const header = slot * (headerBytes / 8);
      pointers[header] = of(namesAt, nameBytes);
      pointers[header + 2] = of(vectorsAt, 16);
      pointers[header + 3] = 1n;
      pointers[header + 4] = of(controlsAt, controlBytes);
      prepare(slot);
    }
    return vectors;
  }

  /** The kernel leaves in the header how much it wrote. */
  function prepare(slot: number): void {
    const header = slot * headerWords;
    headers[header + nameLengthAt / 4] = nameBytes;
    headers[header + controlLengthAt / 4] = controlBytes;
    headers[header + flagsAt / 4] = 0;
  }

  /** In milliseconds; the present where the kernel gave no time. */
  function arrivalOf(slot: number): number {
    const at = slot * (controlBytes / 4);
    const stamped = (headers[slot * headerWords + controlLengthAt / 4] ?? 0) >= 32;
    if (!stamped || controls[at + 2] !== SOL_SOCKET || controls[at + 3] !== SCM_TIMESTAMPNS) return Date.now();
    const seconds = (controls[at + 4] ?? 0) + (controls[at + 5] ?? 0) * twoTo32;
    return seconds * 1000 + (controls[at + 6] ?? 0) / 1e6;
  }

  function sourceOf(slot: number, family: 4 | 6): DatagramAddress {
    const at = slot * nameBytes;
    const port = ((names[at + 2] ?? 0) << 8) | (names[at + 3] ?? 0);
    // Views made once: making one costs more than all the rest of this.
    const bytes = family === 4 ? ipv4Sources[slot] : ipv6Sources[slot];
    return { family, bytes: bytes ?? noAddress, port };
  }

  /** The view of before, if that is as long: making one costs more than reading all that is in the header. */
  function payloadOf(slot: number, length: number): Uint8Array {
    const known = views[slot];
    if (known?.length === length) return known;
    const view = new Uint8Array(payloads, slot * stride, length);
    views[slot] = view;
    return view;
  }

  /** The run whose next datagram is the oldest; of equal ones, the one read first. */
  function oldest(): Run<Owner> | undefined {
    let found: Run<Owner> | undefined;
    let arrival = Infinity;
    for (let index = 0; index < runCount; index += 1) {
      const run = runs[index];
      if (run === undefined) continue;
      const candidate = arrivals[run.next] ?? Infinity;
      if (run.next === run.end || candidate >= arrival) continue;
      found = run;
      arrival = candidate;
    }
    return found;
  }

  return {
    clear() {
      // Those alone that the kernel has written to: the others are not even touched.
      for (let slot = 0; slot < used; slot += 1) prepare(slot);
      runCount = 0;
      used = 0;
    },
    full: () => used === slots,
    read(owner, waiting) {
      const room = Math.min(batch, Math.ceil((slots - used) / waiting));
      const into = headersFrom[used];
      if (into === undefined || vectors.length === 0) return 0;
      const count = recvmmsg(owner.socket.descriptor, into, room, MSG_DONTWAIT, null);
      if (count < 0) {
        prepare(used);
        return errno();
      }
      for (let slot = used; slot < used + count; slot += 1) arrivals[slot] = arrivalOf(slot);
      if (count > 0) {
        runs[runCount] = { owner, next: used, end: used + count };
        runCount += 1;
      }
      used += count;
      return 0;
    },
    deliver(listenerOf) {
      let delivered = 0;
      for (let run = oldest(); run !== undefined; run = oldest()) {
        const slot = run.next;
        run.next += 1;
        const listener = listenerOf(run.owner);
        if (listener === undefined) continue;
        delivered += 1;
        const header = slot * headerWords;
        const payload = payloadOf(slot, headers[header + lengthAt / 4] ?? 0);
        const truncated = ((headers[header + flagsAt / 4] ?? 0) & MSG_TRUNC) !== 0;
        listener(payload, sourceOf(slot, run.owner.socket.family), { arrivedAt: arrivals[slot] ?? 0, truncated });
      }
      return delivered;
    },
  };
}
