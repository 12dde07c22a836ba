/**
 * Boards sold as mesh nodes. On nRF52 boards the strings come with the firmware's board definition, which Meshtastic,
 * MeshCore and the makers' own examples share; so the board is known, and what runs on it is only likely.
 */
import type { Fingerprint } from "aerial/sdk";

const boards = "board definitions of meshtastic/firmware";
const line = { baudRate: 115_200, rtscts: false } as const;
const node = {
  says: "is",
  kinds: ["meshtastic"],
  certainty: "likely",
  alternatives: ["lora"],
  line,
  probe: "allowed",
  source: boards,
} as const;
const board = {
  says: "is",
  kinds: ["lora"],
  certainty: "likely",
  alternatives: ["meshtastic"],
  line,
  probe: "allowed",
  source: boards,
} as const;
const vague = { says: "may-be", kinds: ["lora", "meshtastic"], probe: "allowed", source: boards } as const;

export const boardFingerprints: readonly Fingerprint[] = [
  {
    ...node,
    id: "rak4631",
    match: { vendorId: "239a", name: /\brak4631\b/i },
    vendor: "RAKwireless",
    model: "WisBlock RAK4631",
  },
  {
    ...node,
    id: "heltec-nrf52",
    match: { usbIds: ["239a:4405", "239a:0071", "2886:1667"], name: /\bht-n\d{4}/i },
    vendor: "Heltec",
    model: "Mesh Node (nRF52840)",
  },
  {
    ...node,
    id: "lilygo-t-echo",
    match: { usbIds: ["239a:4405", "239a:8029"], name: /\bttgo eink|\bt-?echo\b/i },
    vendor: "LILYGO",
    model: "T-Echo family",
  },
  {
    ...node,
    id: "elecrow-thinknode",
    match: { usbIds: ["239a:4405"], name: /^elecrow /i },
    vendor: "ELECROW",
    model: "ThinkNode (nRF52840)",
  },
  {
    ...node,
    id: "canary-one",
    match: { usbIds: ["239a:009f", "239a:4405"], name: /canary ?one/i },
    vendor: "Canary Radio",
    model: "Canary One",
  },
  {
    ...node,
    id: "seeed-t1000-e",
    match: { usbIds: ["2886:0057", "239a:8029"], name: /\bt1000-e\b|\bx1-boot\b|\bwio-boot\b/i },
    vendor: "Seeed Studio",
    model: "SenseCAP T1000-E / Wio WM1110",
    note: "`…-BOOT` is this board's name also when its application runs",
  },
  {
    ...node,
    id: "seeed-wio-tracker-l1",
    match: { usbIds: ["2886:1667", "2886:1668"], name: /tracker l1/i },
    vendor: "Seeed Studio",
    model: "Wio Tracker L1",
  },
  {
    ...node,
    id: "nrf52-mesh-boards",
    match: {
      usbIds: ["239a:8029", "239a:00b3"],
      name: /gat562|me25ls01|ms24sf1|\bmeshlink\b|\bmeshtiny\b|minimesh|\bbq nrf52840\b|muzi|t-impulse/i,
    },
    note: "the name is that of a board made for Meshtastic",
  },
  {
    ...node,
    id: "mesh-board-ids",
    match: { usbIds: ["239a:4405", "239a:0071", "239a:009f", "239a:cafe", "2886:0057", "2886:1667", "2886:1668", "303a:80d6"] },
    model: "mesh node board",
    note: "ids that only boards made for Meshtastic are known to use",
  },
  {
    ...vague,
    id: "nrf52-adafruit-core",
    match: {
      usbIds: ["239a:8029", "239a:00b3", "239a:810b", "2886:0059", "2886:0166"],
      name: /^(?:239a|2886) (?:8029|00b3|810b|0059|0166)\b/i,
    },
    model: "board with the ids of an Adafruit or Seeed development board",
    note: "many boards reuse these ids; opening such a port at 1200 baud sends it into its bootloader",
  },
  {
    ...vague,
    id: "seeed-xiao-boot",
    match: { usbIds: ["2886:0059", "2886:0166", "239a:810b", "239a:010b"], name: /\bxiao-boot\b/i },
    vendor: "Seeed Studio",
    model: "XIAO board",
    note: "the name is the same for LoRa kits and bare boards, with application and bootloader",
  },
  {
    ...node,
    id: "word-mesh",
    match: { function: ["serial", "usb"], name: /\bmeshtastic|\bmesh-?core\b|\brak4631\b|\bht-n\d{4}|\bt1000-e\b|\bt-?echo\b|thinknode/i },
  },
  {
    ...board,
    id: "word-lora-boards",
    match: {
      function: ["serial", "usb"],
      name: /\bheltec\b(?!.*wifi kit)|\bwisblock\b|\bwiscore\b|\brak(?:3172|3312|4200|4630|11200|11300|11310)\b|\blilygo (?:t-?beam|t-?deck|t-?lora)|\bt-?beam\b|\bstation-?g[23]\b/i,
    },
    note: "the name is that of a board with a LoRa chip",
  },
  {
    ...board,
    id: "word-lora",
    match: { function: ["serial", "usb"], name: /^(?!.*(?:meshtastic|mesh-?core)).*\blora(?:wan)?\b/i },
    source: "product names of the makers",
  },
];
