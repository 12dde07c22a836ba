/** Bluetooth: by what the kernel made of it, by interface class, by known ids and by name. */
import { usbIdsOf, type Fingerprint } from "aerial/sdk";
import { bluetoothUsbIds } from "./usb-ids.ts";

const controller = { says: "is", kinds: ["bluetooth"], probe: "none" } as const;
const certain = { ...controller, certainty: "certain" } as const;
const likely = { ...controller, certainty: "likely" } as const;
const classCodes = "Bluetooth Core Specification 5.4, volume 4, part B §3.1";

export const fingerprints: readonly Fingerprint[] = [
  { ...certain, id: "kernel-controller", match: { function: "bluetooth" }, source: "Linux /sys/class/bluetooth" },
  { ...certain, id: "interface-class", match: { function: "usb", interfaceClass: "e0/01/01" }, source: classCodes },
  { ...certain, id: "interface-class-amp", match: { function: "usb", interfaceClass: "e0/01/04" }, source: classCodes },
  {
    ...certain,
    id: "driver",
    match: { function: "usb", driver: ["btusb", "ath3k", "bcm203x", "bfusb", "bpa10x"] },
    source: "Linux drivers/bluetooth",
  },
  {
    ...likely,
    id: "known-ids",
    match: { function: "usb", usbIds: usbIdsOf(bluetoothUsbIds) },
    source: "Linux btusb and usb.ids",
    note: "products with this id are Bluetooth controllers",
  },
  {
    ...likely,
    id: "word-bluetooth",
    match: {
      function: "usb",
      name: /\bbluetooth\b(?!.*(?:mouse|keyboard|headset|headphone|speaker|audio|sniffer|printer|gamepad|joystick|remote))|\bcsr8510\b|\bbt-?[45]\d\d\b adapter|\bub[45]\d\d\b|\btl-ub\d{3}\b|\busb-bt\d{3}\b/i,
    },
    source: "product names of the makers",
  },
  {
    ...likely,
    id: "bgapi-dongle",
    match: { usbIds: ["2458:0001"] },
    vendor: "Bluegiga",
    model: "BLED112 (BGAPI)",
    line: { baudRate: 115_200, rtscts: false },
    probe: "denied",
    source: "usb.ids; BLED112 data sheet",
    note: "no HCI: programs speak BGAPI to it",
  },
  {
    ...likely,
    id: "word-serial-ble",
    match: { function: ["serial", "usb"], name: /\bbleuio\b|\bbled11[02]\b|\bnrf5\w* connectivity\b|\blow energy dongle\b/i },
    probe: "denied",
    source: "product names of the makers",
    note: "no HCI: programs speak the maker's own protocol to it",
  },
];
