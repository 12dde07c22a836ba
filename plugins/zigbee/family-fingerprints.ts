/** Zigbee by the words that makers put into their strings, whichever bridge chip is behind them. */
import type { Fingerprint } from "aerial/sdk";

const source = "product names of the makers; Home Assistant generated/usb.py patterns";

/** A name is a product's, not a firmware's; most of these chips also take Thread firmware. */
const family = { says: "is", kinds: ["zigbee"], certainty: "likely", alternatives: ["thread"], probe: "allowed", source } as const;
const zigbeeOnly = { says: "is", kinds: ["zigbee"], certainty: "likely", probe: "allowed", source } as const;

export const familyFingerprints: readonly Fingerprint[] = [
  { ...family, id: "word-zigbee", match: { function: ["serial", "usb"], name: /zig-?bee(?!.*sniffer)/i } },
  {
    ...family,
    id: "word-smlight",
    match: { function: ["serial", "usb"], name: /\bslzb-?(?:0\d|mr|\d)/i },
    vendor: "SMLIGHT",
    note: "all SLZB sticks are sold with Zigbee",
  },
  { ...family, id: "word-nabu-casa-zigbee", match: { function: ["serial", "usb"], name: /skyconnect|\bzbt-\d/i }, vendor: "Nabu Casa" },
  {
    ...family,
    id: "word-sonoff-dongle",
    match: { function: ["serial", "usb"], name: /\bsonoff .*dongle (?:plus|lite|max|pmg|lmg|m\b)|\bdongle-?[pl]?mg2\d/i },
    vendor: "SONOFF",
  },
  {
    ...family,
    id: "word-dresden-elektronik",
    match: { function: ["serial", "usb"], name: /\b(?:con|rasp|hive)bee\b/i },
    vendor: "dresden elektronik",
    adapter: "deconz",
  },
  {
    ...family,
    id: "word-ti-chip",
    match: { function: ["serial", "usb"], name: /\bcc(?:26[57]\d|135\d)(?:p|r|rb|\b)(?!.*sniffer)/i },
    adapter: "zstack",
    note: "the name is that of its radio chip",
  },
  {
    ...zigbeeOnly,
    id: "word-ti-cc253x",
    match: { function: ["serial", "usb"], name: /\bcc253[018]\b(?!.*sniffer)/i },
    adapter: "zstack",
    note: "the name is that of its radio chip",
  },
  {
    ...family,
    id: "word-silabs-chip",
    match: { function: ["serial", "usb"], name: /\befr32mg\d\d|\bmgm\d{3}/i },
    adapter: "ember",
    note: "the name is that of its radio chip",
  },
  {
    ...family,
    id: "word-makers",
    match: {
      function: ["serial", "usb"],
      name: /slae\.?sh|zigstar|tubes ?zb|electrolama|zig-a-zig-ah|\bzzh\b|elelabs|\belu0\d\d|\buzg-?0\d|\bcod\.m\b|codm\b|\bzb[ -]gw0\d/i,
    },
  },
  { ...zigbeeOnly, id: "word-zigate", match: { function: ["serial", "usb"], name: /\bzigate/i }, vendor: "ZiGate", adapter: "zigate" },
  {
    ...zigbeeOnly,
    id: "word-telegesis",
    match: { function: ["serial", "usb"], name: /telegesis|\betrx\d|\bem35[78]\d?\b|bv 2010 10|qivicon|plugwise/i },
  },
  { ...zigbeeOnly, id: "word-xbee", match: { function: ["serial", "usb"], name: /\bxbee\b|\bxbib\b/i }, vendor: "Digi", adapter: "xbee" },
];
