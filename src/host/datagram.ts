/** Datagram sockets as the relay needs them: synchronous, each on one interface, and deaf to all unicast that is not theirs. */
import type { AddressFamily } from "../core/relay.ts";

/** Where a datagram came from, or goes to. */
export interface DatagramAddress {
  readonly family: AddressFamily;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  readonly port: number;
}

/** Called for each datagram. `payload` and `source.bytes` are views that are overwritten after the call. */
export type DatagramListener = (payload: Uint8Array, source: DatagramAddress, meta: DatagramMeta) => void;

export interface DatagramMeta {
  /** The kernel's time of arrival in milliseconds with fractions (SO_TIMESTAMPNS), to order what came over several sockets. */
  readonly arrivedAt: number;
  /** It was longer than the buffer and is not whole. */
  readonly truncated: boolean;
}

export interface DatagramSocket extends Disposable {
  readonly descriptor: number;
  readonly family: AddressFamily;
  /** The interface's index. */
  readonly linkIndex: number;
  /** The port it is bound to. */
  readonly port: number;
  /** 0, or the error number. IPv6 link-local destinations are on this socket's interface. Never throws, never blocks. */
  send(payload: Uint8Array, to: DatagramAddress): number;
  /** Datagrams the kernel dropped because nobody read them in time, since the socket was opened. */
  overrun(): number;
}
