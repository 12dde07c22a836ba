/** Z-Wave controllers. */
import { definePlugin } from "aerial/sdk";
import { fingerprints } from "./fingerprints.ts";
import { networkFingerprints } from "./network-fingerprints.ts";

export const zwave = definePlugin({ apiVersion: 1, name: "zwave", fingerprints, network: networkFingerprints });
