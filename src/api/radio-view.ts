/** How radios and devices are shown: by the API, on the command line and in annotations. One shape everywhere. */
import { attachmentOf, type Device } from "../core/device.ts";
import type { Identity } from "../core/identity.ts";
import type { Radio } from "../core/radio.ts";
import type { Device as ContractDevice, Radio as ContractRadio, UsbIdentity } from "./contract/types.ts";

/** A device and what identification makes of it. */
export type DeviceView = ContractDevice;

/** A radio of the inventory. */
export type RadioView = ContractRadio;

/** Without what the inventory does not know: who was given it (`radio-views.ts`). */
export function toRadioView(radio: Radio): RadioView {
  return {
    id: radio.id,
    idBasis: radio.idBasis,
    ...given("name", radio.name),
    state: radio.presence === "present" && radio.mode === "bootloader" ? "bootloader" : radio.presence,
    ...toDeviceView(radio.device, radio.identity),
    mode: radio.mode,
    ...given("absentSince", radio.absentSince),
    ...given("lease", radio.lease),
    handedTo: [],
    firstSeen: radio.firstSeen,
    lastSeen: radio.lastSeen,
  };
}

export function toDeviceView(device: Device, identity: Identity): DeviceView {
  return {
    ...identityView(identity),
    mode: identity.mode,
    function: device.function,
    attachment: attachmentOf(device),
    ...given("driver", device.driver),
    devicePaths: device.nodes.map((node) => node.path),
    ...given("byId", device.byId),
    ...given("port", device.usb?.port),
    ...given("serial", device.usb?.serial ?? device.network?.serial ?? device.network?.mac),
    ...given("usb", device.usb && usbView(device.usb)),
    ...given("wifi", device.wifi),
    ...given("bluetooth", device.bluetooth),
    ...given("ieee802154", device.ieee802154),
    ...given("platform", device.platform),
    ...given("network", device.network),
    sysPath: device.sysPath,
    evidence: identity.evidence,
  };
}

type IdentityView = Pick<
  DeviceView,
  "kinds" | "certainty" | "alternatives" | "candidates" | "vendor" | "model" | "adapter" | "firmware" | "line"
>;

function identityView(identity: Identity): IdentityView {
  if (identity.state === "identified") {
    const { kinds, certainty, alternatives, vendor, model, adapter, firmware, line } = identity;
    return {
      kinds,
      certainty,
      alternatives,
      candidates: [],
      vendor,
      model,
      ...given("adapter", adapter),
      ...given("firmware", firmware),
      ...given("line", line),
    };
  }
  const candidates = identity.state === "ambiguous" ? identity.candidates : [];
  return { kinds: [], certainty: identity.state, alternatives: [], candidates, ...given("model", identity.model) };
}

function usbView(usb: NonNullable<Device["usb"]>): UsbIdentity {
  const { vendorId, productId, release, manufacturer, product, interfaceNumber } = usb;
  return {
    vendorId,
    productId,
    ...given("release", release),
    ...given("manufacturer", manufacturer),
    ...given("product", product),
    ...given("interfaceNumber", interfaceNumber),
  };
}

/** `{key: value}`, or nothing when there is no value: absent keys stay absent in JSON. */
function given<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [Name in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [Name in Key]: Value });
}
