/** Bluetooth proxies. What an ESPHome node can do its announcement does not say; these say it by their project or their name. */
import type { NetworkFingerprint } from "aerial/sdk";

const proxy = {
  says: "is",
  kinds: ["bluetooth"],
  certainty: "likely",
  service: "_esphomelib._tcp",
  vendor: "ESPHome",
  model: "Bluetooth proxy",
  adapter: "esphome",
} as const;

export const networkFingerprints: readonly NetworkFingerprint[] = [
  { ...proxy, id: "esphome-bluetooth-proxy", text: { project_name: "*.bluetooth-proxy" }, source: "projects of esphome/bluetooth-proxies" },
  {
    ...proxy,
    id: "word-bluetooth-proxy",
    instance: "*bluetooth-proxy*",
    source: "names that esphome/bluetooth-proxies gives its nodes",
    note: "the name is all that tells",
  },
];
