/** LoRa modems and LoRaWAN concentrators, on USB and on SPI. */
import type { Fingerprint } from "aerial/sdk";

const concentratord = "vendor tables of chirpstack-concentratord; reset scripts of Lora-net/sx1302_hal";
const modem = { says: "is", kinds: ["lora"], certainty: "likely" } as const;
const vague = { says: "may-be", kinds: ["lora"] } as const;

/** A spidev node tells which chip select is wired out, never what is on it. */
const spi = { ...vague, probe: "none", vendor: "unknown", source: concentratord } as const;

export const modemFingerprints: readonly Fingerprint[] = [
  {
    ...modem,
    id: "semtech-picogw",
    match: { vendorId: "0483", productId: "5740", name: /picogw/i },
    vendor: "Semtech",
    model: "PicoGW (SX1308 and STM32)",
    line: { baudRate: 115_200, rtscts: false },
    probe: "allowed",
    source: "Lora-net/picoGW_hal",
  },
  {
    ...vague,
    id: "sx1302-usb",
    match: { vendorId: "0483", productId: "5740", name: /^(?:stmicroelectronics|0483) (?:stm32 virtual com ?port|5740)/i },
    vendor: "STMicroelectronics",
    model: "STM32 virtual COM port",
    probe: "allowed",
    source: "Lora-net/sx1302_hal; usb.ids",
    note: "USB concentrators with SX1302 and SX1303 show these default strings, and so do printers, flight controllers and CAN adapters",
  },
  {
    ...vague,
    id: "rak2247-usb",
    match: { vendorId: "0403", productId: "6010", name: /^(?:ftdi|0403) (?:dual rs232|ft2232|6010)/i },
    vendor: "FTDI",
    model: "FT2232 dual bridge",
    probe: "none",
    source: "RAKwireless RAK2247 documentation; usb.ids",
    note: "RAK2247 and RAK833 concentrators sit behind one, and so do many debuggers",
  },
  {
    ...modem,
    id: "microchip-rn2483",
    match: { vendorId: "04d8", productId: "000a", name: /\brn2[49]\d3/i },
    vendor: "Microchip",
    model: "RN2483/RN2903 board",
    line: { baudRate: 57_600, rtscts: false },
    probe: "allowed",
    source: "RN2483 PICtail documentation; usb.ids",
  },
  {
    ...vague,
    id: "microchip-cdc-demo",
    match: { vendorId: "04d8", productId: "000a", name: /^(?:microchip technology inc\.|04d8) (?:cdc rs-232 emulation demo|000a)/i },
    vendor: "Microchip",
    model: "CDC serial device",
    probe: "allowed",
    source: "usb.ids",
    note: "RN2483 boards keep the strings of Microchip's example, and so do others",
  },
  {
    ...vague,
    id: "microchip-mcp2221",
    match: { vendorId: "04d8", productId: "00dd", name: /^(?:microchip technology inc\.|04d8) (?:mcp2221|00dd)/i },
    vendor: "Microchip",
    model: "MCP2221 serial bridge",
    probe: "allowed",
    source: "usb.ids",
    note: "a bridge chip's own identity",
  },
  {
    ...vague,
    id: "ch341-spi",
    match: { usbIds: ["1a86:5512"], name: /^(?:qinheng electronics|wch\.?cn|1a86) (?:usb uart-lpt|usb-epp i2c|ch341\w*|5512|sp?i)/i },
    kinds: ["lora", "meshtastic"],
    vendor: "WCH",
    model: "CH341 in SPI mode",
    probe: "none",
    source: "usb.ids; meshtastic/firmware portduino configurations",
    note: "USB sticks with SX1262 for meshtasticd look like this, and so do flash programmers",
  },
  {
    ...modem,
    id: "concentrator-device-tree",
    match: { function: "spi", compatible: ["semtech,sx1301", "semtech,sx1276", "semtech,sx1278"] },
    certainty: "likely",
    vendor: "Semtech",
    probe: "none",
    source: "device-tree bindings of Semtech chips",
    note: "the device tree names the chip",
  },
  {
    ...spi,
    id: "spidev-0.0",
    match: { function: "spi", node: /\/spidev0\.0$/ },
    model: "SPI device",
    note: "RAK2245, RAK2287, RAK5146, WM1302, LR1302, PG1302, iC880A, LoRaGo Port, RHF0M301, Waveshare and Semtech HATs are wired here, and so is anything else",
  },
  {
    ...spi,
    id: "spidev-multitech",
    match: { function: "spi", node: /\/spidev(?:0\.2|1\.2|1\.0)$/ },
    model: "SPI device",
    note: "MultiTech MTAC-LORA-H, MTAC-003 and MTCAP3 are wired here, and so is anything else",
  },
];
