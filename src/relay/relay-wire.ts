/** What the engine needs of the network: links, packets that were heard, and ways to send. */
import type { DatagramAddress } from "../host/datagram.ts";
import type { LinkAddress } from "../host/network-links.ts";
import type { Channel } from "./channels.ts";

/** An interface that takes part, by the name that rules use. */
export interface RelayLink {
  readonly name: string;
  /** The kernel's name and number of the interface. */
  readonly interface: string;
  readonly index: number;
  readonly mtu: number;
  readonly vlan?: number;
  readonly addresses: readonly LinkAddress[];
}

/** A packet that was sent to a group. `payload` and `source.bytes` hold only until the call ends. */
export interface RelayDatagram {
  readonly channel: Channel;
  readonly link: RelayLink;
  readonly payload: Uint8Array;
  readonly source: DatagramAddress;
  /** It was longer than any packet that is carried. */
  readonly truncated: boolean;
}

/** Asks on behalf of one asker, from a port of its own, so that answers come home. */
export interface ReplySocket extends Disposable {
  /** Sends to the channel's group. 0, or the error number. */
  ask(channel: Channel, payload: Uint8Array): number;
}

/** `now`: when it came, in monotonic milliseconds. */
export type ReplyListener = (
  payload: Uint8Array,
  source: DatagramAddress,
  meta: { readonly truncated: boolean; readonly now: number },
) => void;

/** Sends; never throws and never waits. Results are 0 or an error number. */
export interface RelayWire {
  toGroup(link: RelayLink, channel: Channel, payload: Uint8Array): number;
  toHost(link: RelayLink, channel: Channel, message: { readonly payload: Uint8Array; readonly to: DatagramAddress }): number;
  /** Undefined where no socket can be had. */
  openReply(link: RelayLink, channel: Channel, heard: ReplyListener): ReplySocket | undefined;
}
