/** LoRa: mesh nodes, modems and concentrators. Kind `meshtastic` is a node of that mesh, `lora` everything else. */
import { definePlugin } from "aerial/sdk";
import { boardFingerprints } from "./board-fingerprints.ts";
import { modemFingerprints } from "./modem-fingerprints.ts";
import { networkFingerprints } from "./network-fingerprints.ts";

export const lora = definePlugin({
  apiVersion: 1,
  name: "lora",
  fingerprints: [...boardFingerprints, ...modemFingerprints],
  network: networkFingerprints,
});
