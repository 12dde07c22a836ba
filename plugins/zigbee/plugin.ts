/** Zigbee coordinators. */
import { definePlugin } from "aerial/sdk";
import { boardFingerprints } from "./board-fingerprints.ts";
import { familyFingerprints } from "./family-fingerprints.ts";
import { hubzFingerprints } from "./hubz-fingerprints.ts";
import { networkFingerprints } from "./network-fingerprints.ts";
import { productFingerprints } from "./product-fingerprints.ts";

export const zigbee = definePlugin({
  apiVersion: 1,
  name: "zigbee",
  fingerprints: [...productFingerprints, ...boardFingerprints, ...hubzFingerprints, ...familyFingerprints],
  network: networkFingerprints,
});
