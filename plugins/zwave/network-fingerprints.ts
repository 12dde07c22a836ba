/**
 * Z-Wave controllers that are reached over the network. A Z-Wave JS server (`_zwave-js-server._tcp`) is none: it uses a radio
 * that is somebody else's already.
 */
import type { NetworkFingerprint } from "aerial/sdk";

const controller = { says: "is", kinds: ["zwave"] } as const;
const zwaveJs = "zwave-js 15.29 discoverRemoteSerialPorts";

export const networkFingerprints: readonly NetworkFingerprint[] = [
  {
    ...controller,
    id: "zwave-network",
    certainty: "certain",
    service: "_zwave._tcp",
    model: "Z-Wave controller on the network",
    source: zwaveJs,
    note: "reached as tcp://host:port; one client at a time",
  },
  {
    ...controller,
    id: "zwave-esphome-proxy",
    certainty: "certain",
    service: "_zwave._tcp",
    text: { protocol: "esphome" },
    vendor: "ESPHome",
    model: "Z-Wave proxy",
    adapter: "esphome",
    source: zwaveJs,
    note: "reached as esphome://host:port",
  },
  {
    ...controller,
    id: "nabucasa-zwa2-network",
    certainty: "likely",
    service: "_esphomelib._tcp",
    instance: "*zwa-2*",
    vendor: "Nabu Casa",
    model: "Home Assistant Connect ZWA-2 (network mode)",
    adapter: "esphome",
    source: "names that ESPHome nodes of this product have",
  },
];
