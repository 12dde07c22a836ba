/** Serial bridge chips with their makers' own strings, and chips with a default identity: they may hide any radio, or none. */
import { definePlugin } from "aerial/sdk";

/**
 * The names are part of the condition: a chip that was given strings of its own names a product, and if no other row
 * knows that product then it is unknown, not ambiguous.
 */
const bridge = {
  says: "may-be",
  probe: "allowed",
  source: "usb.ids; kernel USB serial drivers; default strings in the chips' data sheets",
  note: "a bridge chip's own identity; it proves nothing about what is behind it",
} as const;

export const bridges = definePlugin({
  apiVersion: 1,
  name: "bridges",
  fingerprints: [
    {
      ...bridge,
      id: "cp2102n",
      match: { vendorId: "10c4", productId: "ea60", name: /^silicon lab\w* cp2102n/i },
      kinds: ["lora", "meshtastic", "thread", "zigbee", "zwave"],
      vendor: "Silicon Labs",
      model: "CP2102N serial bridge",
      note: "Z-Wave sticks of the 700 series, Zigbee sticks and LoRa boards are sold with these default strings",
    },
    {
      ...bridge,
      id: "cp210x",
      match: { vendorId: "10c4", productId: "ea60", name: /^(?:silicon lab\w*(?: inc\.)?|cygnal\b.*|10c4) (?:cp21(?!02n)\w*|ea60)/i },
      kinds: ["lora", "meshtastic", "thread", "zigbee", "zwave"],
      vendor: "Silicon Labs",
      model: "CP210x serial bridge",
    },
    {
      ...bridge,
      id: "ch340",
      match: {
        vendorId: "1a86",
        productId: "7523",
        name: /^(?:1a86|qinheng electronics|wch\.?cn) (?:usb2?\.?0?-? ?ser\w*|ch340\w*|7523)/i,
      },
      kinds: ["lora", "meshtastic", "zigbee"],
      vendor: "WCH",
      model: "CH340 serial bridge",
      note: "Zigbee sticks and LoRa boards use it, and so do RS-485 adapters, printers and Arduino clones",
    },
    {
      ...bridge,
      id: "ch9102",
      match: { usbIds: ["1a86:55d3", "1a86:55d4"], name: /^(?:1a86|qinheng electronics|wch\.?cn) (?:usb single serial|55d[34])/i },
      kinds: ["lora", "meshtastic", "thread", "zigbee", "zwave"],
      vendor: "WCH",
      model: "CH9102/CH343 serial bridge",
    },
    {
      ...bridge,
      id: "ft232r",
      match: {
        vendorId: "0403",
        productId: "6001",
        name: /^(?:ftdi|0403) (?:ft232\w*|ttl232r\w*|usb serial (?:converter|port)|usb uart|6001)/i,
      },
      kinds: ["enocean", "zigbee"],
      vendor: "FTDI",
      model: "FT232R serial bridge",
      note: "XBee adapters and old Zigbee sticks use it, and so do countless cables",
    },
    {
      ...bridge,
      id: "ft23xx",
      match: { vendorId: "0403", productId: "6015", name: /^(?:ftdi|0403) (?:ft23[01]x\w*|usb serial (?:converter|port)|6015)/i },
      kinds: ["zigbee"],
      vendor: "FTDI",
      model: "FT230X serial bridge",
      note: "the first ConBee and XBee adapters use it, and so do countless cables",
    },
    {
      ...bridge,
      id: "pl2303",
      match: { vendorId: "067b", name: /^(?:prolific technology inc\.(?: ltd)?|067b) (?:usb-serial controller|pl2303\w*|2303)/i },
      kinds: ["zigbee"],
      vendor: "Prolific",
      model: "PL2303 serial bridge",
      note: "the first ZiGate uses it, and so do countless cables",
    },
    {
      ...bridge,
      id: "cp2105",
      match: { vendorId: "10c4", productId: "ea70", name: /^(?:silicon lab\w*|10c4) (?:cp2105\w*|ea70)/i },
      kinds: ["thread", "zigbee", "zwave"],
      vendor: "Silicon Labs",
      model: "CP2105 dual serial bridge",
    },
    {
      ...bridge,
      id: "esp32-usb-jtag",
      match: { vendorId: "303a", productId: "1001", name: /^(?:espressif(?: systems)?|303a) (?:usb jtag serial debug unit|1001)/i },
      kinds: ["lora", "meshtastic", "thread", "zigbee"],
      vendor: "Espressif",
      model: "ESP32 with its built-in USB serial",
      note: "the chip's own identity, whatever program runs on it",
    },
    {
      ...bridge,
      id: "esp32-tinyusb",
      match: { vendorId: "303a", productId: "4001", name: /^303a 4001\b/i },
      kinds: ["thread", "zigbee", "zwave"],
      vendor: "Espressif",
      model: "ESP32-S2/S3 USB serial",
      probe: "none",
      note: "with its strings unseen it may be a Nabu Casa ZBT-2 or ZWA-2, or any program built from Espressif's example",
    },
    {
      ...bridge,
      id: "zephyr-sample",
      match: { vendorId: "2fe3", productId: "0100", name: /^(?:zephyr(?: project)?|2fe3) (?:usb-dev|cdc acm|0100)/i },
      kinds: ["thread", "zigbee"],
      vendor: "Zephyr",
      model: "Zephyr USB sample",
      note: "the default identity of Zephyr's samples",
    },
    {
      ...bridge,
      id: "ti-xds110-application",
      match: { vendorId: "0451", productId: "bef3", interfaceNumber: 0, name: /xds110|^(?:texas instruments|0451) bef3/i },
      kinds: ["thread", "zigbee"],
      vendor: "Texas Instruments",
      model: "LaunchPad (XDS110), application port",
      source: "usb.ids; zigbee-herdsman 11.1.1 adapterDiscovery.js",
      note: "a development board's debugger; what the chip behind it runs is not told",
    },
  ],
});
