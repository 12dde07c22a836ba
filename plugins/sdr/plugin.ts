/** Software-defined radios: receivers of anything, of kind `sdr`. */
import { definePlugin, usbIdsOf } from "aerial/sdk";

const source = "usb.ids; the kernel's dvb_usb_rtl28xxu table; librtlsdr";
const receiver = { says: "is", kinds: ["sdr"], probe: "none", source } as const;

export const sdr = definePlugin({
  apiVersion: 1,
  name: "sdr",
  fingerprints: [
    {
      ...receiver,
      id: "rtl2832",
      match: { usbIds: ["0bda:2832", "0bda:2838"] },
      certainty: "certain",
      vendor: "Realtek",
      model: "RTL2832U stick (RTL-SDR)",
      note: "as SDR it wants dvb_usb_rtl28xxu unbound; its serial number is often 00000001",
    },
    {
      ...receiver,
      id: "rtl2832-rebranded",
      match: {
        usbIds: usbIdsOf(`
          0413 6680 6f0f
          0458 707f
          0ccd 00a9 00b3 00b4 00b5 00b7 00b8 00b9 00c0 00c6 00d3 00d7 00e0
          1554 5020
          15f4 0131 0133
          185b 0620 0650 0680
          1b80 d393 d394 d395 d397 d398 d39d d3a4 d3a8 d3af d3b0
          1d19 1101 1102 1103 1104
          1f4d a803 b803 c803 d286 d803
        `),
      },
      certainty: "likely",
      vendor: "Realtek",
      model: "RTL2832U DVB-T stick",
    },
    {
      ...receiver,
      id: "hackrf-one",
      match: { usbIds: ["1d50:6089"] },
      certainty: "certain",
      vendor: "Great Scott Gadgets",
      model: "HackRF One",
    },
    { ...receiver, id: "airspy", match: { usbIds: ["1d50:60a1"] }, certainty: "certain", vendor: "Airspy", model: "Airspy R2/Mini" },
    { ...receiver, id: "limesdr", match: { usbIds: ["1d50:6108"] }, certainty: "certain", vendor: "Myriad-RF", model: "LimeSDR" },
    {
      ...receiver,
      id: "sdrplay",
      match: { usbIds: ["1df7:2500", "1df7:3000", "1df7:3010"] },
      certainty: "certain",
      vendor: "SDRplay",
      model: "RSP1, RSP1A or RSP2",
    },
  ],
});
