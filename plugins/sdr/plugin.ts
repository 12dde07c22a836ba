/** Software-defined radios: receivers of anything, of kind `sdr`. */
import { type Check, definePlugin, type Outcome, type Radio, usbIdsOf } from "aerial/sdk";

const source = "usb.ids; the kernel's dvb_usb_rtl28xxu table; librtlsdr";
const receiver = { says: "is", kinds: ["sdr"], probe: "none", source } as const;

const television = "dvb_usb_rtl28xxu";

/** RTL2832U sticks are sold for watching television, and the kernel takes them at that. */
const notTelevision: Check = {
  id: "sdr-television",
  level: "warning",
  title: "The receiver is not taken for a television tuner",
  source: "the kernel's drivers/media/usb/dvb-usb-v2/rtl28xxu.c; librtlsdr",
  reads: [],
  judge({ radios }) {
    const sticks = radios.filter(
      ({ presence, identity }) => presence === "present" && identity.state === "identified" && identity.kinds.includes("sdr"),
    );
    if (sticks.length === 0) return "no SDR receiver is plugged in";
    return sticks.map(judgeStick);
  },
};

function judgeStick({ id, device }: Radio): Outcome {
  const drivers = (device.usb?.interfaces ?? []).flatMap(({ driver }) => driver ?? []);
  const about = { subject: id, radioId: id };
  const evidence = [{ source: `USB port ${device.usb?.port ?? "?"}`, value: drivers.length === 0 ? "no driver" : drivers.join(", ") }];
  if (!drivers.includes(television)) return { ...about, verdict: "pass", text: "The receiver is free for SDR programs.", evidence };
  return {
    ...about,
    verdict: "fail",
    text: "The kernel has taken the receiver for a television tuner: SDR programs find it busy.",
    evidence,
    remedy: {
      text: `Keep the kernel from loading ${television}; on Talos that is the kernel argument module_blacklist=${television}.`,
      linux: [`echo blacklist ${television} > /etc/modprobe.d/sdr.conf`, `modprobe -r ${television}`],
    },
  };
}

export const sdr = definePlugin({
  apiVersion: 1,
  name: "sdr",
  checks: [notTelevision],
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
