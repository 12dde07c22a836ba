/** EnOcean gateways. */
import { definePlugin } from "aerial/sdk";

const line = { baudRate: 57_600, rtscts: false } as const;

export const enocean = definePlugin({
  apiVersion: 1,
  name: "enocean",
  fingerprints: [
    {
      id: "enocean-usb300",
      match: { vendorId: "0403", productId: "6001", name: /^enocean .*usb 3[01]0/i },
      says: "is",
      kinds: ["enocean"],
      certainty: "certain",
      vendor: "EnOcean",
      model: "USB 300 / USB 310 (TCM 310)",
      line,
      probe: "allowed",
      source: "the product's own strings; EnOcean USB 300 data sheet",
      note: "its radio module takes no other firmware",
    },
    {
      id: "enocean-usb",
      match: { function: ["serial", "usb"], name: /\benocean\b/i },
      says: "is",
      kinds: ["enocean"],
      certainty: "likely",
      vendor: "EnOcean",
      line,
      probe: "allowed",
      source: "product names of the makers",
    },
  ],
});
