/** Meshtastic nodes that are reached over the network. LoRaWAN gateways announce nothing. */
import type { NetworkFingerprint } from "aerial/sdk";

export const networkFingerprints: readonly NetworkFingerprint[] = [
  {
    says: "is",
    id: "meshtastic-network",
    kinds: ["meshtastic"],
    certainty: "certain",
    service: "_meshtastic._tcp",
    vendor: "Meshtastic",
    source: "meshtastic/firmware mDNS announcement",
    note: "one client at a time",
  },
];
