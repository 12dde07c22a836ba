/** Z-Wave controllers. */
import { definePlugin } from "aerial/sdk";
import { fingerprints } from "./fingerprints.ts";

export const zwave = definePlugin({ apiVersion: 1, name: "zwave", fingerprints });
