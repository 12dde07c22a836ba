/** By vendor and product id. A vendor id alone yields to rows that know both the id and the name. */
import type { Fingerprint } from "aerial/sdk";

const known = { says: "is-not", source: "usb.ids" } as const;

/** Whole vendors: nothing they make is one of our radios. */
const vendors = [
  ["0463", "MGE/Eaton", "UPS"],
  ["051d", "APC", "UPS"],
  ["0665", "Cypress", "UPS bridge"],
  ["06da", "Phoenixtec", "UPS"],
  ["0764", "CyberPower", "UPS"],
  ["09ae", "Tripp Lite", "UPS"],
  ["0d9f", "Powercom", "UPS"],
  ["10af", "Liebert", "UPS"],
  ["05c6", "Qualcomm", "cellular modem"],
  ["1199", "Sierra Wireless", "cellular modem"],
  ["12d1", "Huawei", "cellular modem"],
  ["19d2", "ZTE", "cellular modem"],
  ["1bc7", "Telit", "cellular modem"],
  ["1e0e", "SIMCom", "cellular modem"],
  ["2c7c", "Quectel", "cellular modem"],
  ["2cb7", "Fibocom", "cellular modem"],
  ["091e", "Garmin", "GNSS receiver"],
  ["1546", "u-blox", "GNSS receiver"],
  ["2341", "Arduino", "development board"],
  ["2a03", "Arduino", "development board"],
  ["1ffb", "Pololu", "development board"],
  ["2c99", "Prusa", "3D printer"],
  ["1366", "SEGGER", "debug probe"],
  ["0d28", "Arm DAPLink", "debug probe"],
  ["1a6e", "Global Unichip", "Coral accelerator"],
  ["046d", "Logitech", "input device"],
  ["1d57", "Xenta", "input device"],
  ["1050", "Yubico", "security key"],
  ["10bf", "SmartLabs", "Insteon modem"],
  ["10cf", "Velleman", "Velbus interface or lab instrument"],
  ["1b1f", "eQ-3", "HomeMatic radio"],
  ["0fcf", "Dynastream", "ANT+ receiver"],
] as const;

const products: readonly { readonly id: string; readonly usbIds: readonly string[]; readonly vendor: string; readonly model: string }[] = [
  { id: "klipper", usbIds: ["1d50:614e", "1d50:6061"], vendor: "Klipper", model: "3D printer controller" },
  { id: "black-magic-probe", usbIds: ["1d50:6017", "1d50:6018"], vendor: "Black Magic", model: "debug probe" },
  {
    id: "st-link",
    usbIds: ["0483:3744", "0483:3748", "0483:374b", "0483:374d", "0483:374e", "0483:374f", "0483:3752", "0483:3753"],
    vendor: "STMicroelectronics",
    model: "ST-LINK debug probe",
  },
  { id: "ti-cc-debugger", usbIds: ["0451:16a2"], vendor: "Texas Instruments", model: "CC Debugger" },
  { id: "teensy", usbIds: ["16c0:0483", "16c0:0478", "16c0:0487"], vendor: "PJRC", model: "Teensy development board" },
  { id: "tellstick", usbIds: ["1781:0c30", "1781:0c31"], vendor: "Telldus", model: "TellStick (433 MHz)" },
  { id: "conexant-modem", usbIds: ["0572:1340"], vendor: "Conexant", model: "analogue modem" },
  { id: "coral", usbIds: ["18d1:9302"], vendor: "Google", model: "Coral accelerator" },
  { id: "rainforest-raven", usbIds: ["0403:8a28"], vendor: "Rainforest Automation", model: "RAVEn smart-meter reader" },
  { id: "ti-cc2531-sniffer", usbIds: ["0451:16ae"], vendor: "Texas Instruments", model: "CC2531 packet sniffer" },
  { id: "dresden-sniffer", usbIds: ["1cf1:0017", "1cf1:0023"], vendor: "dresden elektronik", model: "deRFusbSniffer" },
  { id: "nordic-802154-sniffer", usbIds: ["1915:154b"], vendor: "Nordic Semiconductor", model: "nRF 802.15.4 sniffer" },
  { id: "nordic-ble-sniffer", usbIds: ["1915:522a"], vendor: "Nordic Semiconductor", model: "nRF Sniffer for Bluetooth LE" },
  { id: "crazyradio", usbIds: ["1915:7777"], vendor: "Bitcraze", model: "Crazyradio" },
  { id: "ubertooth", usbIds: ["1d50:6002"], vendor: "Great Scott Gadgets", model: "Ubertooth One sniffer" },
  { id: "wch-multi-port", usbIds: ["1a86:55d5", "1a86:55d2", "1a86:5523"], vendor: "WCH", model: "multi-port or parallel bridge" },
];

function notARadio(row: Pick<Fingerprint, "id" | "match"> & { readonly vendor: string; readonly model: string }): Fingerprint {
  return { ...known, ...row };
}

export const idFingerprints: readonly Fingerprint[] = [
  ...vendors.map(([vendorId, vendor, model]) => notARadio({ id: `vendor-${vendorId}`, match: { vendorId }, vendor, model })),
  ...products.map(({ id, usbIds, vendor, model }) => notARadio({ id, match: { usbIds }, vendor, model })),
  {
    ...known,
    id: "raspberry-pi-pico",
    match: { usbIds: ["2e8a:0004", "2e8a:0005", "2e8a:0009", "2e8a:000a", "2e8a:000c"], name: /^(?:raspberry pi|2e8a) /i },
    vendor: "Raspberry Pi",
    model: "Pico, microcontroller board",
    note: "the default identity of whatever program runs on it",
  },
  {
    ...known,
    id: "ti-xds110-auxiliary",
    match: { vendorId: "0451", productId: "bef3", interfaceNumber: 3 },
    vendor: "Texas Instruments",
    model: "XDS110 auxiliary debug port",
  },
];
