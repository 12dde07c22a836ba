/** `aerial/sdk`: everything a plugin may import, and all that built-in radios use. */
export type { Check, DeviceNodeFacts, Facts, FindingEvidence, FindingLevel, Outcome, Reading, Remedy, TalosChange } from "../core/check.ts";
export type {
  BluetoothFacts,
  Device,
  DeviceFunction,
  DeviceNode,
  Ieee802154Facts,
  NetworkFacts,
  NetworkOffer,
  PlatformFacts,
  UsbFacts,
  UsbInterface,
  WifiFacts,
} from "../core/device.ts";
export type { Certainty, Evidence, Identity, Mode, RadioKind, SerialLine } from "../core/identity.ts";
export type { Log } from "../core/log.ts";
export type { Radio } from "../core/radio.ts";
export type {
  Fingerprint,
  FingerprintMatch,
  NetworkFingerprint,
  PluginContext,
  ProbePort,
  ProbeResult,
  RadioDescription,
  RadioPlugin,
} from "./plugin.ts";
export { definePlugin, pluginApiVersion } from "./plugin.ts";
export { usbIdsOf } from "./usb-ids.ts";
