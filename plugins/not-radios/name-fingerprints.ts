/** By what their makers write into their strings. These also hold where no ids are to be had. */
import type { Fingerprint } from "aerial/sdk";

const known = { says: "is-not", source: "product names of the makers" } as const;

export const nameFingerprints: readonly Fingerprint[] = [
  {
    ...known,
    id: "rfxcom",
    match: { name: /rfxtrx|rfxcom/i },
    vendor: "RFXCOM",
    model: "RFXtrx transceiver (433/868 MHz)",
    note: "no radio of these kinds",
  },
  {
    ...known,
    id: "homematic",
    match: { name: /\bhmip-|\bhm-(?:cfg|mod|lgw)|homematic|\beq-3\b/i },
    vendor: "eQ-3",
    model: "HomeMatic radio (868 MHz)",
  },
  {
    ...known,
    id: "culfw",
    match: { vendorId: "03eb", productId: "204b", name: /\bcul(?:433|868|fw)?\b/i },
    vendor: "busware",
    model: "CUL (433/868 MHz)",
  },
  {
    ...known,
    id: "other-sub-ghz",
    match: {
      name: /\bcul(?:433|868|fw)?\b|\bcun\b|\bnanocul|jee ?link|signalduino|rflink|rfplayer|ziblue|tellstick|rfbee|busware|velux|somfy|\brf-?link\b/i,
    },
    model: "433/868 MHz radio",
  },
  { ...known, id: "wireless-mbus", match: { name: /\bwm-?bus|wireless m-bus|\bim8\d\da|\bamb8465/i }, model: "wireless M-Bus receiver" },
  {
    ...known,
    id: "rainforest",
    match: { name: /\brainforest\b|\braven\b.*\bzigbee|\bemu-2\b/i },
    vendor: "Rainforest Automation",
    model: "smart-meter reader",
  },
  { ...known, id: "sniffer", match: { name: /sniffer|zniffer|ubertooth|crazyradio/i }, model: "packet sniffer" },
  {
    ...known,
    id: "printer",
    match: { name: /klipper|kalico|marlin|\bprusa|creality|bigtreetech|anycubic|3d ?print|repetier|smoothieboard|duet ?3d/i },
    model: "3D printer controller",
  },
  { ...known, id: "arduino", match: { name: /arduino|genuino|teensy/i }, model: "development board" },
  {
    ...known,
    id: "seeed-xiao",
    match: { name: /seeeduino|\bxiao (?!.*(?:lora|wio))/i },
    vendor: "Seeed Studio",
    model: "development board",
  },
  {
    ...known,
    id: "word-raspberry-pi-pico",
    match: { name: /^raspberry pi (?:pico|rp2\w*|debug)/i },
    vendor: "Raspberry Pi",
    model: "Pico, microcontroller board",
  },
  { ...known, id: "interpreter", match: { name: /circuitpython|micropython|board in fs mode/i }, model: "microcontroller board" },
  {
    ...known,
    id: "debug-probe",
    match: {
      name: /\bj-?link\b|\bst-?link\b|cmsis-dap(?!.*xds110)|daplink|black magic|picoprobe|cc debugger|\bppk2\b|power profiler|\bjtagkey|\bolimex.*jtag|bus pirate/i,
    },
    model: "debug probe or lab instrument",
  },
  { ...known, id: "gnss", match: { name: /u-?blox|\bgps\b|\bgnss\b|glonass|navilock|globalsat|garmin|\bbu-353/i }, model: "GNSS receiver" },
  {
    ...known,
    id: "modem",
    match: {
      name: /\bhuawei\b|quectel|sierra wireless|\bsimcom|\btelit\b|fibocom|\blte\b|(?<![\d.])[34]g\b|mobile (?:wi-?fi|broadband|connect)|\bgsm\b|(?:cellular|analog\w*|56k|fax) modem/i,
    },
    model: "modem",
  },
  {
    ...known,
    id: "ups",
    match: { name: /\bups\b|cyber ?power|american power conversion|\bapc\b|\beaton\b|smart-ups|back-ups/i },
    model: "UPS",
  },
  {
    ...known,
    id: "meter",
    match: { name: /teleinfo|\btic\b|smart ?meter|\bp1[ -](?:port|cable|meter|converter|adapter)|volksz|optokopf|landis|sml reader/i },
    model: "meter reader",
  },
  {
    ...known,
    id: "energy-bus",
    match: {
      name: /victron|\bve[. ]direct|\bve[. ]bus\b|\bmk[23]-usb\b|rs-?485|rs-?422|modbus|\bcan ?(?:bus|able|adapter)|dali\b|\bknx\b|m-bus|1-wire/i,
    },
    model: "wired bus interface",
  },
  {
    ...known,
    id: "input-device",
    match: {
      name: /\bmouse\b|keyboard|trackball|presenter|game ?pad|joystick|unifying receiver|usb receiver|bolt receiver|\bnano receiver|2\.4g (?:wireless )?(?:receiver|dongle|device)|wireless receiver/i,
    },
    model: "input device",
  },
  {
    ...known,
    id: "storage",
    match: { name: /card reader|flash drive|mass storage|\bdisk\b|\bsd reader|multi-reader/i },
    model: "storage device",
  },
  {
    ...known,
    id: "media",
    match: { name: /webcam|camera|headset|headphone|speaker|microphone|\baudio\b|printer|scanner(?!.*ble)|laserjet|officejet/i },
    model: "media or office device",
  },
  { ...known, id: "ant-plus", match: { name: /\bant\+?usb|\bant usb|\bant\+|ant usb-?m|dynastream/i }, model: "ANT+ receiver" },
  { ...known, id: "infrared", match: { name: /infrared|\bir ?(?:blaster|toy|trans|receiver)|mceusb|flirc/i }, model: "infrared device" },
];
