/** What older Sonos players broadcast to UDP 6969. Nobody has written down what is in it, so it is carried as it is. */

export interface BroadcastMessage {
  readonly bytes: Uint8Array;
}

/** One Ethernet frame's worth (RFC 894): what is longer is not a discovery broadcast. */
const longest = 1_472;

export function readBroadcast(packet: Uint8Array): BroadcastMessage | { readonly fault: string } {
  if (packet.length === 0) return { fault: "empty" };
  if (packet.length > longest) return { fault: "longer than a frame" };
  return { bytes: packet };
}
