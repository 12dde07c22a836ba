/** Things that are not radios of ours, so that nothing vaguer claims them and nobody probes them. */
import { definePlugin } from "aerial/sdk";
import { idFingerprints } from "./id-fingerprints.ts";
import { nameFingerprints } from "./name-fingerprints.ts";

export const notRadios = definePlugin({ apiVersion: 1, name: "not-radios", fingerprints: [...idFingerprints, ...nameFingerprints] });
