/** Another program on a port: bound to all addresses, as avahi, zeroconf or Home Assistant are. */
import { closeSync } from "node:fs";
import type { DatagramAddress } from "../../src/host/datagram.ts";
import {
  AF_INET,
  AF_INET6,
  int,
  IP_ADD_MEMBERSHIP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_JOIN_GROUP,
  ipv4Membership,
  ipv6Membership,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_DGRAM_CLOEXEC_NONBLOCK,
  socketAddress,
  SOL_SOCKET,
} from "../../src/host/datagram-options.ts";
import { parseAddress } from "../../src/host/ip-address.ts";
import { call } from "./libc.ts";

export interface PortHolder extends Disposable {
  join(group: string, linkIndex: number): void;
  /** What came since the last time, as text. */
  take(): readonly string[];
  say(text: string, to: DatagramAddress): void;
}

export interface PortHolderOptions {
  readonly family: 4 | 6;
  readonly port: number;
  readonly reusePort: boolean;
  /** Default: yes. */
  readonly reuseAddress?: boolean;
}

export function openPortHolder({ family, port, reusePort, reuseAddress = true }: PortHolderOptions): PortHolder {
  const socket = call("socket", family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM_CLOEXEC_NONBLOCK, 0);
  const set = (level: number, option: number, value: Uint8Array): void =>
    void call("setsockopt", socket, level, option, value, value.length);
  if (reuseAddress) set(SOL_SOCKET, SO_REUSEADDR, int(1));
  if (reusePort) set(SOL_SOCKET, SO_REUSEPORT, int(1));
  const everywhere = socketAddress({ family, bytes: new Uint8Array(family === 4 ? 4 : 16), port }, 0);
  call("bind", socket, everywhere, everywhere.length);
  const buffer = Buffer.alloc(65_536);
  let open = true;
  return {
    join(group, linkIndex) {
      const bytes = parseAddress(group) ?? new Uint8Array();
      if (family === 4) set(IPPROTO_IP, IP_ADD_MEMBERSHIP, ipv4Membership(bytes, linkIndex));
      else set(IPPROTO_IPV6, IPV6_JOIN_GROUP, ipv6Membership(bytes, linkIndex));
    },
    take() {
      const texts: string[] = [];
      for (;;) {
        try {
          const length = call("recv", socket, buffer, buffer.length, 0);
          texts.push(buffer.toString("latin1", 0, length));
        } catch {
          return texts;
        }
      }
    },
    say(text, to) {
      const address = socketAddress(to, 0);
      call("sendto", socket, Buffer.from(text), Buffer.byteLength(text), 0, address, address.length);
    },
    [Symbol.dispose]() {
      if (open) closeSync(socket);
      open = false;
    },
  };
}
