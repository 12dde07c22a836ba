/** Frames as they are on the wire: a packet socket on all links of the namespace in which it is opened (packet(7)). */
import { closeSync } from "node:fs";
import { formatAddress } from "../../src/host/ip-address.ts";
import { call } from "./libc.ts";

const AF_PACKET = 17;
const SOCK_RAW_NONBLOCK = 3 | 0o4000;
/** ETH_P_ALL in network order. */
const allProtocols = 0x0300;
const MSG_DONTWAIT = 0x40;
const UDP = 17;
const ethernetHeader = 14;

interface UdpFrame {
  readonly source: string;
  readonly destination: string;
  /** The source port. */
  readonly port: number;
  /** TTL or hop limit. */
  readonly hops: number;
}

export interface Frames extends Disposable {
  /** UDP datagrams since the last time, first fragments counted as such; sent and received ones. */
  take(): readonly UdpFrame[];
}

export function captureFrames(): Frames {
  const socket = call("socket", AF_PACKET, SOCK_RAW_NONBLOCK, allProtocols);
  const buffer = Buffer.alloc(65_536);
  return {
    take() {
      const frames: UdpFrame[] = [];
      for (;;) {
        let length: number;
        try {
          length = call("recv", socket, buffer, buffer.length, MSG_DONTWAIT);
        } catch {
          return frames;
        }
        const frame = parseFrame(buffer.subarray(0, length));
        if (frame !== undefined) frames.push(frame);
      }
    },
    [Symbol.dispose]: () => closeSync(socket),
  };
}

function parseFrame(frame: Buffer): UdpFrame | undefined {
  const type = frame.readUInt16BE(12);
  const packet = frame.subarray(ethernetHeader);
  if (type === 0x0800 && packet[9] === UDP) {
    const udp = packet.subarray(((packet[0] ?? 0) & 0xf) * 4);
    return { ...endsOf(packet.subarray(12, 16), packet.subarray(16, 20)), port: udp.readUInt16BE(0), hops: packet[8] ?? 0 };
  }
  if (type === 0x86dd && packet[6] === UDP) {
    return { ...endsOf(packet.subarray(8, 24), packet.subarray(24, 40)), port: packet.readUInt16BE(40), hops: packet[7] ?? 0 };
  }
  return undefined;
}

function endsOf(source: Uint8Array, destination: Uint8Array): Pick<UdpFrame, "source" | "destination"> {
  return { source: formatAddress(source), destination: formatAddress(destination) };
}
