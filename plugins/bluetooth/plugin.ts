/** Bluetooth controllers. */
import { definePlugin } from "aerial/sdk";
import { fingerprints } from "./fingerprints.ts";

export const bluetooth = definePlugin({ apiVersion: 1, name: "bluetooth", fingerprints });
