/** Bluetooth controllers. */
import { definePlugin } from "aerial/sdk";
import { fingerprints } from "./fingerprints.ts";
import { networkFingerprints } from "./network-fingerprints.ts";

export const bluetooth = definePlugin({ apiVersion: 1, name: "bluetooth", fingerprints, network: networkFingerprints });
