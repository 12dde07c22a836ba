/** Every check that comes with aerial. Loaded when somebody first asks the doctor. */
import type { Check } from "../../core/check.ts";
import { bluetoothChecks } from "./bluetooth-checks.ts";
import { holderChecks } from "./holder-checks.ts";
import { kubeletChecks } from "./kubelet-checks.ts";
import { kubernetesChecks } from "./kubernetes-checks.ts";
import { loraChecks } from "./lora-checks.ts";
import { networkChecks } from "./network-checks.ts";
import { relayLinkChecks } from "./relay-link-checks.ts";
import { threadChecks } from "./thread-checks.ts";
import { ttyNodeChecks } from "./tty-node-checks.ts";
import { usbDriverChecks } from "./usb-driver-checks.ts";
import { usbIdentityChecks } from "./usb-identity-checks.ts";
import { usbPortChecks } from "./usb-port-checks.ts";
import { usbPowerChecks } from "./usb-power-checks.ts";
import { wifiChecks } from "./wifi-checks.ts";

/** Sorted by id. */
export const builtInChecks: readonly Check[] = [
  ...threadChecks,
  ...usbDriverChecks,
  ...usbIdentityChecks,
  ...usbPortChecks,
  ...usbPowerChecks,
  ...ttyNodeChecks,
  ...holderChecks,
  ...bluetoothChecks,
  ...wifiChecks,
  ...loraChecks,
  ...networkChecks,
  ...relayLinkChecks,
  ...kubeletChecks,
  ...kubernetesChecks,
].toSorted((left, right) => (left.id < right.id ? -1 : 1));
