/**
 * Zigbee coordinators that are reached over the network. The box that announces them tells of its own settings, not of the
 * firmware on the radio chip, which may be another; `radio_type` says which driver the box is set up for.
 */
import type { NetworkFingerprint } from "aerial/sdk";

const homeAssistant = "Home Assistant generated/zeroconf.py; zha config flow";
const zigbee2mqtt = "zigbee-herdsman 11.1.1 adapterDiscovery.js";

interface Family {
  readonly id: string;
  readonly service: string;
  readonly instance?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly source: string;
}

/** Services by which coordinators are found. Where no product is named, only `radio_type` tells that there is one to use. */
const products: readonly Family[] = [
  { id: "slzb-06", service: "_slzb-06._tcp", vendor: "SMLIGHT", model: "SLZB-06 family", source: `${homeAssistant}; ${zigbee2mqtt}` },
  { id: "uzg-01", service: "_uzg-01._tcp", vendor: "ZigStar", model: "UZG-01", source: homeAssistant },
  { id: "xzg", service: "_xzg._tcp", vendor: "XZG", source: `${homeAssistant}; xyzroe/XZG firmware` },
  { id: "zigstar-lan", service: "_zigstar_gw._tcp", vendor: "ZigStar", model: "LAN gateway", source: homeAssistant },
  { id: "czc", service: "_czc._tcp", vendor: "codm", model: "CZC-1.0", source: homeAssistant },
  { id: "zigbee-coordinator", service: "_zigbee-coordinator._tcp", source: homeAssistant },
  { id: "zigbee-gateway", service: "_zigbee-gateway._tcp", source: "xyzroe/XZG firmware; zigbee2mqtt's list of network adapters" },
];

/** Values of `radio_type`, and the driver that each needs. Chips with the first three also take Thread firmware. */
const radioTypes = [
  { type: "znp", adapter: "zstack", alternatives: ["thread"] },
  { type: "ezsp", adapter: "ember", alternatives: ["thread"] },
  { type: "efr32", adapter: "ember", alternatives: ["thread"] },
  { type: "deconz", adapter: "deconz", alternatives: [] },
  { type: "zigate", adapter: "zigate", alternatives: [] },
  { type: "xbee", adapter: "xbee", alternatives: [] },
] as const;

const coordinator = { says: "is", kinds: ["zigbee"], certainty: "likely" } as const;

function rowsOf(product: Family): readonly NetworkFingerprint[] {
  const row = { ...coordinator, ...product };
  const told = radioTypes.map(({ type, adapter, alternatives }): NetworkFingerprint =>
    Object.assign({}, row, { id: `${product.id}-${type}`, text: { radio_type: type }, adapter, alternatives }),
  );
  if (product.vendor === undefined) return told;
  return [{ ...row, alternatives: ["thread"], note: "which driver it needs is not announced" }, ...told];
}

export const networkFingerprints: readonly NetworkFingerprint[] = [
  ...products.flatMap(rowsOf),
  {
    ...coordinator,
    id: "zigate-network",
    service: "_zigate-zigbee-gateway._tcp",
    vendor: "ZiGate",
    model: "network gateway (JN516x)",
    adapter: "zigate",
    source: homeAssistant,
  },
  {
    ...coordinator,
    id: "tubeszb-network",
    service: "_esphomelib._tcp",
    instance: "tube*",
    alternatives: ["thread"],
    vendor: "TubesZB",
    model: "network coordinator",
    source: homeAssistant,
    note: "the port announced is that of ESPHome; the radio's own is 6638",
  },
];
