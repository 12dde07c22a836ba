/** Wi-Fi adapters. */
import { definePlugin } from "aerial/sdk";
import { fingerprints } from "./fingerprints.ts";

export const wifi = definePlugin({ apiVersion: 1, name: "wifi", fingerprints });
