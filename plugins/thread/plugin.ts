/** Thread radio co-processors. */
import { definePlugin } from "aerial/sdk";
import { fingerprints } from "./fingerprints.ts";
import { networkFingerprints } from "./network-fingerprints.ts";

export const thread = definePlugin({ apiVersion: 1, name: "thread", fingerprints, network: networkFingerprints });
