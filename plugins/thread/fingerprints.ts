/** Radios whose own firmware says Thread: here the USB identity comes with the firmware, not with a bridge chip. */
import type { Fingerprint } from "aerial/sdk";

/** Likely only: a co-processor is a bare 802.15.4 transceiver, and zigbee-on-host drives it as Zigbee. */
const coprocessor = {
  says: "is",
  kinds: ["thread"],
  certainty: "likely",
  alternatives: ["zigbee"],
  line: { baudRate: 115_200, rtscts: false },
  probe: "allowed",
} as const;

export const fingerprints: readonly Fingerprint[] = [
  {
    ...coprocessor,
    id: "nordic-openthread-device",
    match: { vendorId: "1915", productId: "cafe", name: /openthread/i },
    vendor: "Nordic Semiconductor",
    model: "nRF528xx OpenThread Device",
    source: "openthread/ot-nrf528xx USB descriptors",
    note: "the name is the firmware's own; RCP, NCP and command line all show it",
  },
  {
    ...coprocessor,
    id: "nordic-thread-coprocessor",
    match: { vendorId: "1915", name: /thread co-?processor/i },
    vendor: "Nordic Semiconductor",
    model: "nRF5x Thread Co-Processor",
    source: "nRF Connect SDK coprocessor sample",
    note: "the name is the firmware's own",
  },
  {
    ...coprocessor,
    id: "word-thread",
    match: {
      function: ["serial", "usb"],
      name: /open ?thread|\bthread (?:radio|rcp|ncp|co-?processor|border|dongle|stick|usb|device)|\bot-(?:rcp|ncp)\b/i,
    },
    source: "names that OpenThread firmware gives itself",
  },
];
