/** Virtual sticks with the USB identity of real ones, for tests and for playing by hand. */
import type { VirtualStick } from "./lab.ts";

/** SONOFF ZBDongle-P: a Zigbee stick (CC2652P) behind a CP2102N. */
export const sonoffDonglePlus: VirtualStick = {
  name: "SONOFF Zigbee 3.0 USB Dongle Plus (P)",
  vendorId: "10c4",
  productId: "ea60",
  release: "0100",
  manufacturer: "Silicon Labs",
  product: "Sonoff Zigbee 3.0 USB Dongle Plus",
  serial: "62a88fbb4d19ec1182f53bcc47486eb0",
  driver: "cp210x",
};

/** SONOFF ZBDongle-E with the CH9102F bridge, which speaks CDC-ACM. */
export const sonoffDongleE: VirtualStick = {
  name: "SONOFF Zigbee 3.0 USB Dongle Plus V2 (E)",
  vendorId: "1a86",
  productId: "55d4",
  release: "0442",
  manufacturer: "ITEAD",
  product: "SONOFF Zigbee 3.0 USB Dongle Plus V2",
  serial: "20220812153849",
  driver: "cdc_acm",
};

/** dresden elektronik ConBee II. Its bootloader has the same identity and leaves the bus again after some seconds. */
export const conbee2: VirtualStick = {
  name: "ConBee II",
  vendorId: "1cf1",
  productId: "0030",
  release: "0100",
  manufacturer: "dresden elektronik ingenieurtechnik GmbH",
  product: "ConBee II",
  serial: "DE2436973",
  driver: "cdc_acm",
};

/** dresden elektronik ConBee III, an FTDI chip with strings of its own. */
export const conbee3: VirtualStick = {
  name: "ConBee III",
  vendorId: "0403",
  productId: "6015",
  release: "1000",
  manufacturer: "dresden elektronik",
  product: "ConBee III",
  serial: "DE03188707",
  driver: "ftdi_sio",
};

/** Nabu Casa Home Assistant Connect ZBT-1 (once SkyConnect): Zigbee or Thread, whatever was flashed. */
export const zbt1: VirtualStick = {
  name: "Home Assistant Connect ZBT-1",
  vendorId: "10c4",
  productId: "ea60",
  release: "0100",
  manufacturer: "Nabu Casa",
  product: "Home Assistant Connect ZBT-1",
  serial: "082a732ea338ef11bf43317af3d9b1e5",
  driver: "cp210x",
};

/** Aeotec Z-Stick Gen5 and most other Z-Wave 500 sticks: no strings at all. */
export const zstickGen5: VirtualStick = {
  name: "Aeotec Z-Stick Gen5",
  vendorId: "0658",
  productId: "0200",
  release: "0000",
  driver: "cdc_acm",
};

/** Nortek HUSBZB-1: one USB device with Z-Wave on interface 0 and Zigbee on interface 1. */
export const husbzb1: VirtualStick = {
  name: "Nortek HUSBZB-1",
  vendorId: "10c4",
  productId: "8a2a",
  release: "0100",
  manufacturer: "Silicon Labs",
  product: "HubZ Smart Home Controller",
  serial: "C0F007B8",
  driver: "cp210x",
  ports: 2,
};

/** EnOcean USB 300 (TCM 310) behind an FT232R. */
export const enoceanUsb300: VirtualStick = {
  name: "EnOcean USB 300",
  vendorId: "0403",
  productId: "6001",
  release: "0600",
  manufacturer: "EnOcean GmbH",
  product: "EnOcean USB 300 DC",
  serial: "FT4T6Q61",
  driver: "ftdi_sio",
};

/** nRF52840 dongle with OpenThread's co-processor firmware. */
export const nrf52840Thread: VirtualStick = {
  name: "nRF52840 dongle, OpenThread",
  vendorId: "1915",
  productId: "cafe",
  release: "0100",
  manufacturer: "Nordic Semiconductor ASA",
  product: "nRF528xx OpenThread Device",
  serial: "EA27A5FC585E",
  driver: "cdc_acm",
};

/** The same nRF52840 dongle in its bootloader: other ids, same serial number. */
export const nrf52840Bootloader: VirtualStick = {
  name: "nRF52840 dongle, Open DFU bootloader",
  vendorId: "1915",
  productId: "521f",
  release: "0100",
  manufacturer: "Nordic Semiconductor",
  product: "Open DFU Bootloader",
  serial: "EA27A5FC585E",
  driver: "cdc_acm",
};

/** A CH340 with nothing but its default product string: could be anything. */
export const bareCh340: VirtualStick = {
  name: "CH340 serial adapter",
  vendorId: "1a86",
  productId: "7523",
  release: "0264",
  product: "USB Serial",
  driver: "ch341",
};

/** A CP2102 with the chip's factory strings and serial number 0001: could be anything. */
export const cp2102Twin: VirtualStick = {
  name: "CP2102 with serial number 0001",
  vendorId: "10c4",
  productId: "ea60",
  release: "0100",
  manufacturer: "Silicon Labs",
  product: "CP2102 USB to UART Bridge Controller",
  serial: "0001",
  driver: "cp210x",
};

/** Another CP2102 that cannot be told from `cp2102Twin` but by its port. */
export const cp2102OtherTwin: VirtualStick = { ...cp2102Twin, name: "another CP2102 with serial number 0001" };

/** A Prolific PL2303 cable: not a radio. */
export const pl2303Cable: VirtualStick = {
  name: "PL2303 serial cable",
  vendorId: "067b",
  productId: "2303",
  release: "0300",
  manufacturer: "Prolific Technology Inc.",
  product: "USB-Serial Controller",
  driver: "pl2303",
};

/** An Arduino: CDC-ACM with a serial number, and not a radio. */
export const arduinoMega: VirtualStick = {
  name: "Arduino Mega 2560",
  vendorId: "2341",
  productId: "0042",
  release: "0001",
  manufacturer: "Arduino (www.arduino.cc)",
  serial: "75435353035351B08281",
  driver: "cdc_acm",
};

/** A CSR8510 Bluetooth adapter or one of its clones. */
export const csrBluetooth: VirtualStick = {
  name: "CSR8510 Bluetooth adapter",
  vendorId: "0a12",
  productId: "0001",
  release: "8891",
  product: "CSR8510 A10",
  driver: "btusb",
};

/** A TI CC Debugger. No driver in the kernel knows it: it is on the bus, and nothing else happens. */
export const noDriverStick: VirtualStick = {
  name: "TI CC Debugger",
  vendorId: "0451",
  productId: "16a2",
  release: "0009",
  manufacturer: "Texas Instruments",
  product: "CC Debugger",
  driver: "none",
};

/** Strings with line ends, terminal escapes, quotes and label-breaking characters. */
export const hostileStick: VirtualStick = {
  name: "a stick with hostile strings",
  vendorId: "10c4",
  productId: "ea60",
  release: "ffff",
  manufacturer: "Evil\nCorp\r\u001b[2J\u001b]0;owned\u0007",
  product: '"; rm -rf / #  ../../etc/passwd \u202eeteled\u0000 {{.}} ${HOME} \u{1f4e1}',
  serial: "-_.=/\t\\'\u007f\ud83d",
  driver: "cp210x",
};

/** Strings as long as a USB string descriptor can hold: 126 UTF-16 units. */
export const longStringsStick: VirtualStick = {
  name: "a stick with the longest strings",
  vendorId: "1a86",
  productId: "7523",
  release: "0264",
  manufacturer: "M".repeat(126),
  product: "ü".repeat(126),
  serial: "9".repeat(126),
  driver: "ch341",
};

/** Every stick above by its name here, for the interactive lab and for tests that go through all of them. */
export const stickCatalogue: Readonly<Record<string, VirtualStick>> = {
  sonoffDonglePlus,
  sonoffDongleE,
  conbee2,
  conbee3,
  zbt1,
  zstickGen5,
  husbzb1,
  enoceanUsb300,
  nrf52840Thread,
  nrf52840Bootloader,
  bareCh340,
  cp2102Twin,
  cp2102OtherTwin,
  pl2303Cable,
  arduinoMega,
  csrBluetooth,
  noDriverStick,
  hostileStick,
  longStringsStick,
};
