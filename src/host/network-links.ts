/** The host's network interfaces: what the kernel has, and word when that changes. */
import type { AddressFamily } from "../core/relay.ts";

export interface LinkAddress {
  readonly family: AddressFamily;
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  readonly prefixLength: number;
  /** As people write it, without prefix. */
  readonly text: string;
}

export interface NetworkLink {
  readonly name: string;
  /** The kernel's number for it; a new one each time an interface is made. */
  readonly index: number;
  readonly mtu: number;
  /** Administratively up and with a carrier. */
  readonly up: boolean;
  readonly loopback: boolean;
  /** 802.1Q: its VLAN id. */
  readonly vlan?: number;
  /** Tentative IPv6 addresses are left out. */
  readonly addresses: readonly LinkAddress[];
}
