/** 802.15.4 transceivers that the kernel drives, and old ones that nothing drives. */
import { definePlugin } from "aerial/sdk";

const old = {
  says: "is",
  kinds: ["ieee802154"],
  certainty: "likely",
  probe: "denied",
  source: "usb.ids; the kernel's USB id tables",
} as const;

export const ieee802154 = definePlugin({
  apiVersion: 1,
  name: "ieee802154",
  fingerprints: [
    {
      id: "kernel-phy",
      match: { function: "ieee802154" },
      says: "is",
      kinds: ["ieee802154"],
      certainty: "certain",
      probe: "none",
      source: "Linux /sys/class/ieee802154",
      note: "at86rf230, cc2520, mrf24j40, adf7242, atusb and others",
    },
    { ...old, id: "atusb", match: { usbIds: ["20b7:1540"] }, certainty: "certain", vendor: "Qi Hardware", model: "ATUSB", probe: "none" },
    { ...old, id: "kisbee", match: { usbIds: ["1d50:6008"] }, vendor: "Kisbee", model: "802.15.4 transceiver" },
    { ...old, id: "atmel-stk541", match: { usbIds: ["03eb:2109"] }, vendor: "Atmel", model: "STK541" },
    { ...old, id: "philips", match: { usbIds: ["0471:0617"] }, vendor: "Philips", model: "802.15.4 dongle" },
    {
      ...old,
      id: "dresden-terminals",
      match: { usbIds: ["1cf1:0001", "1cf1:0004"] },
      vendor: "dresden elektronik",
      model: "802.15.4 terminal",
    },
  ],
});
