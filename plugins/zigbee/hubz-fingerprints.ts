/** Sticks with a Zigbee and a Z-Wave radio behind one USB device: a row for each port, and one where the port is not told. */
import type { Fingerprint } from "aerial/sdk";

const hubzIds = { vendorId: "10c4", productId: "8a2a" } as const;
const hubzName = /\bhubz\b/i;
const hubz = {
  says: "is",
  certainty: "likely",
  vendor: "Nortek GoControl",
  probe: "allowed",
  source: "Home Assistant generated/usb.py; usb.ids",
} as const;

/** CP2105 with its own strings: the Z-Station is only one of the things behind it. */
const cp2105 = { vendorId: "10c4", productId: "ea70", name: /cp2105|^(?:silicon labs|10c4) ea70/i } as const;

export const hubzFingerprints: readonly Fingerprint[] = [
  {
    ...hubz,
    id: "husbzb1-zwave-port",
    match: { ...hubzIds, interfaceNumber: 0, name: hubzName },
    kinds: ["zwave"],
    model: "HUSBZB-1, Z-Wave port (ZM5304)",
    line: { baudRate: 115_200, rtscts: false },
  },
  {
    ...hubz,
    id: "husbzb1-zigbee-port",
    match: { ...hubzIds, interfaceNumber: 1, name: hubzName },
    kinds: ["zigbee"],
    model: "HUSBZB-1, Zigbee port (EM3581)",
    adapter: "ember",
    line: { baudRate: 57_600, rtscts: false },
    note: "its EmberZNet is older than what current ember drivers want",
  },
  {
    ...hubz,
    id: "husbzb1-zwave-port-by-id",
    match: { ...hubzIds, interfaceNumber: 0 },
    kinds: ["zwave"],
    model: "HUSBZB-1, Z-Wave port (ZM5304)",
  },
  {
    ...hubz,
    id: "husbzb1-zigbee-port-by-id",
    match: { ...hubzIds, interfaceNumber: 1 },
    kinds: ["zigbee"],
    model: "HUSBZB-1, Zigbee port (EM3581)",
  },
  { ...hubz, id: "husbzb1", match: hubzIds, kinds: ["zigbee", "zwave"], model: "HUSBZB-1 (both radios)" },
  {
    ...hubz,
    id: "husbzb1-by-name",
    match: { name: /hubz smart home controller/i },
    kinds: ["zigbee", "zwave"],
    model: "HUSBZB-1 (both radios)",
  },
  {
    id: "zwaveme-zstation-zigbee",
    match: { ...cp2105, interfaceNumber: 1 },
    says: "may-be",
    kinds: ["thread", "zigbee"],
    vendor: "Silicon Labs",
    model: "CP2105 dual serial bridge",
    probe: "allowed",
    source: "usb.ids; Z-Wave.Me Z-Station documentation",
    note: "the second port of a Z-Wave.Me Z-Station looks like this, and so does any CP2105",
  },
  {
    id: "zwaveme-zstation-zwave",
    match: { ...cp2105, interfaceNumber: 0 },
    says: "may-be",
    kinds: ["zwave"],
    vendor: "Silicon Labs",
    model: "CP2105 dual serial bridge",
    probe: "allowed",
    source: "usb.ids; Z-Wave.Me Z-Station documentation",
    note: "the first port of a Z-Wave.Me Z-Station looks like this, and so does any CP2105",
  },
];
