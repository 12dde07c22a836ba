/** Z-Wave sticks. Their chips are built for the sub-GHz bands of Z-Wave and take no Zigbee or Thread firmware. */
import type { Fingerprint } from "aerial/sdk";

const homeAssistant = "Home Assistant generated/usb.py";

const stick = { says: "is", kinds: ["zwave"], line: { baudRate: 115_200, rtscts: false }, probe: "allowed" } as const;
const certain = { ...stick, certainty: "certain" } as const;
const likely = { ...stick, certainty: "likely" } as const;

export const fingerprints: readonly Fingerprint[] = [
  {
    ...certain,
    id: "zwave-500-series",
    match: { usbIds: ["0658:0200"] },
    vendor: "Sigma Designs",
    model: "500-series stick (UZB, Z-Stick Gen5, ACC-UZB3)",
    source: `${homeAssistant}; usb.ids`,
    note: "sticks of all brands show this id; only the radio itself tells them apart",
  },
  {
    id: "zwave-500-programming",
    match: { usbIds: ["0658:0280"] },
    says: "bootloader",
    vendor: "Sigma Designs",
    model: "500-series stick in programming mode",
    source: "usb.ids",
  },
  {
    ...certain,
    id: "nabucasa-zwa2",
    match: { vendorId: "303a", productId: "4001", name: /^nabu casa .*zwa-2/i },
    vendor: "Nabu Casa",
    model: "Home Assistant Connect ZWA-2 (EFR32ZG23 behind ESP32-S3)",
    source: `${homeAssistant}; zwave-js 0x0466/zwa-2.json`,
  },
  {
    ...certain,
    id: "zooz-zst39",
    match: { vendorId: "1a86", productId: "55d4", name: /^zooz (?!.*zst10)/i },
    vendor: "Zooz",
    model: "ZST39 800LR",
    source: homeAssistant,
  },
  {
    ...certain,
    id: "zooz-zst10",
    match: { vendorId: "10c4", productId: "ea60", name: /\bzst10\b/i },
    vendor: "Zooz",
    model: "ZST10 700",
    source: "the product's own strings",
  },
  {
    ...certain,
    id: "sonoff-pzg23",
    match: { vendorId: "10c4", productId: "ea60", name: /^sonoff .*(?:pzg23|z-?wave)/i },
    vendor: "SONOFF",
    model: "Z-Wave Dongle Plus PZG23 (EFR32ZG23)",
    source: "the product's own strings",
  },
  {
    ...likely,
    id: "word-zwave",
    match: { function: ["serial", "usb"], name: /\bz-?wave(?!.*(?:sniffer|zniffer))/i },
    source: "product names of the makers",
  },
  {
    ...likely,
    id: "word-makers",
    match: {
      function: ["serial", "usb"],
      name: /\bz-?stick\b|\buzb-?\d?\b|\bzwa-2\b|\bzst(?:10|39)\b|\bz-wave\.?me\b|\braz-?berry\b|\bpzg23\b|\bsmartstick\b/i,
    },
    source: "product names of the makers; zwave-js device configurations",
  },
  {
    id: "greenwave",
    match: { vendorId: "2703" },
    says: "may-be",
    kinds: ["zwave"],
    vendor: "GreenWave",
    model: "GWR868RF stick",
    probe: "denied",
    source: "usb.ids",
    note: "only the vendor id is known",
  },
];
