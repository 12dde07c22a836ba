/** Wi-Fi: by what the kernel made of it, by known ids and by name. */
import { usbIdsOf, type Fingerprint } from "aerial/sdk";
import { comboUsbIds, wifiModules, wifiUsbIds } from "./usb-ids.ts";

const adapter = { says: "is", kinds: ["wifi"], probe: "none" } as const;
const likely = { ...adapter, certainty: "likely" } as const;

/** In later kernels, or in use outside the kernel tree. */
const otherDrivers =
  "rtw_8821au rtw_8812au rtw_8814au rtw89_8851bu rtw89_8852au rtw89_8852bu rtw89_8852cu " +
  "r8188eu rtl8188eu rtl8188fu rtl8192eu rtl8812au rtl8821au rtl8821cu rtl88x2bu rtl8814au rtl88xxau rtl8852bu";

/** Some drivers register under a name of their own: `rtw_8822bu` is the module rtw88_8822bu. */
const driverNames = [...wifiModules, ...wifiModules.map((name) => name.replace(/^rtw88_/, "rtw_")), ...otherDrivers.split(" ")];

/** Adapters whose drivers came to the kernel after the table was made. */
const newerUsbIds = `
0846 9060 9065 9072
0bda 0811 8812 8813 b812 c811
0e8d 7925 7961
35bc 0107 0108
`;

export const fingerprints: readonly Fingerprint[] = [
  { ...adapter, certainty: "certain", id: "kernel-phy", match: { function: "wifi" }, source: "Linux /sys/class/ieee80211" },
  { ...adapter, certainty: "certain", id: "driver", match: { function: "usb", driver: driverNames }, source: "Linux drivers/net/wireless" },
  {
    ...likely,
    id: "known-ids",
    match: { function: "usb", usbIds: usbIdsOf(wifiUsbIds) },
    source: "aliases of the kernel's drivers; usb.ids",
    note: "products with this id are Wi-Fi adapters; no driver has made one of it here",
  },
  {
    ...likely,
    id: "newer-ids",
    match: { function: "usb", usbIds: usbIdsOf(newerUsbIds) },
    source: "aliases of mt7921u, mt7925u, rtw88 and rtw89 in Linux 7.2",
    note: "products with this id are Wi-Fi adapters; no driver has made one of it here",
  },
  {
    ...likely,
    id: "combined-ids",
    match: { function: "usb", usbIds: usbIdsOf(comboUsbIds) },
    kinds: ["bluetooth", "wifi"],
    source: "the kernel's Wi-Fi and Bluetooth drivers; usb.ids",
    note: "drivers of both kinds know this id",
  },
  {
    ...likely,
    id: "word-wifi",
    match: {
      function: "usb",
      name: /\b802\.11 ?(?:[abgnx]|ac|ax|be)?|\bwlan\b|\bwi-?fi ?\d?\b|\bwireless (?:lan|network|usb|n|ac|ax)\b.*(?:adapter|nic|dongle)|^mediatek\w*(?: inc\.)? wireless device/i,
    },
    source: "product names of the makers",
  },
];
