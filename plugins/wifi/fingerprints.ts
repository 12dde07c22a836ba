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
0409 0408
0411 0242 025d 029b
04bb 0952 0953
050d 1106 1109
056e 4007 400b 400d 400e 400f
0586 3426 3428
0789 016e
07b8 8812
0846 9051 9052 9054 9060 9065 9072
0b05 17d2 1817 1852 1853 1a62
0bda 0811 8812 8813 881a 881b 881c a811 a85b b812 b832 b83a b852 b85a c811
0db0 6931
0df6 0074
0e66 0022 0023 0026
0e8d 7925 7961
1058 0632
13b1 003f
148f 9097
1740 0100
2001 330e 3313 3314 3315 3316 3318 331a 3327
2019 ab30 ab32
20f4 804b 805b 809a 809b
2357 0101 0103 0106 010d 010e 010f 011e 011f 0120 0122
2604 0012
3574 6121
35bc 0100 0107 0108
3823 6249
7392 6822 a811 a812 a813 a822 a833 a834 b611
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
    source: "id tables of mt7921u, mt7925u, rtw88 and rtw89 in current Linux",
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
      name: /\b802\.11 ?(?:[abgnx]|ac|ax|be)?|\bwlan\b|\bwi-?fi\b.*(?:adapter|dongle|stick|\bnic\b)|\bwireless (?:lan|network|usb|n|ac|ax)\b.*(?:adapter|nic|dongle)|^mediatek\w*(?: inc\.)? wireless device/i,
    },
    source: "product names of the makers",
  },
];
