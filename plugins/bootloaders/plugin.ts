/** Bootloaders: the stick is there, its radio firmware is not running. Never written to. */
import { definePlugin } from "aerial/sdk";

const source = "usb.ids; boot ROM and bootloader documentation of the makers";
const waiting = { says: "bootloader", source } as const;

export const bootloaders = definePlugin({
  apiVersion: 1,
  name: "bootloaders",
  fingerprints: [
    { ...waiting, id: "stm32-dfu", match: { usbIds: ["0483:df11"] }, vendor: "STMicroelectronics", model: "STM32 DFU bootloader" },
    {
      ...waiting,
      id: "nordic-open-dfu",
      match: { usbIds: ["1915:521f"] },
      vendor: "Nordic Semiconductor",
      model: "nRF52840 Open DFU bootloader",
    },
    {
      ...waiting,
      id: "adafruit-nrf52-uf2",
      match: { usbIds: ["239a:0029", "239a:002a"] },
      vendor: "Adafruit",
      model: "nRF52 UF2 bootloader",
    },
    {
      ...waiting,
      id: "rp2-bootsel",
      match: { usbIds: ["2e8a:0003", "2e8a:000f"] },
      vendor: "Raspberry Pi",
      model: "RP2040/RP2350 BOOTSEL",
    },
    { ...waiting, id: "esp32-rom", match: { usbIds: ["303a:0002"] }, vendor: "Espressif", model: "ESP32-S2/S3 boot ROM" },
    {
      ...waiting,
      id: "realtek-installer-disk",
      match: { usbIds: ["0bda:1a2b"] },
      vendor: "Realtek",
      model: "Wi-Fi installer disk",
      note: "usb_modeswitch turns it into a Wi-Fi adapter",
    },
    {
      ...waiting,
      id: "interface-class-dfu",
      match: { function: "usb", interfaceClass: "fe/01/02" },
      source: "USB DFU 1.1 §4.2.3: protocol 2 is DFU mode",
    },
    {
      ...waiting,
      id: "word-bootloader",
      match: { function: ["serial", "usb"], name: /\bboot ?loader\b|\bbootsel\b|\bdfu mode\b|\bin dfu\b/i },
    },
  ],
});
