/** How radios and devices are shown: by the API, on the command line and in annotations. One shape everywhere. */
import {
  attachmentOf,
  type Attachment,
  type BluetoothFacts,
  type Device,
  type Ieee802154Facts,
  type NetworkFacts,
  type PlatformFacts,
  type WifiFacts,
} from "../core/device.ts";
import type { Evidence, Identity, Mode, RadioKind, SerialLine } from "../core/identity.ts";
import type { IdBasis, Lease, Radio } from "../core/radio.ts";

/** How sure we are: `certain` and `likely` name kinds, `ambiguous` names candidates, `unknown` neither. */
type ViewCertainty = "certain" | "likely" | "ambiguous" | "unknown";

interface UsbView {
  readonly vendorId: string;
  readonly productId: string;
  readonly release?: string;
  readonly manufacturer?: string;
  readonly product?: string;
  readonly interfaceNumber?: number;
}

/** A device and what identification makes of it. */
export interface DeviceView {
  readonly kinds: readonly RadioKind[];
  readonly certainty: ViewCertainty;
  /** What the same hardware becomes with other firmware. */
  readonly alternatives: readonly RadioKind[];
  /** What an ambiguous device may be; it may also be no radio at all. */
  readonly candidates: readonly RadioKind[];
  readonly vendor?: string;
  readonly model?: string;
  readonly adapter?: string;
  readonly firmware?: string;
  readonly line?: SerialLine;
  readonly mode: Mode;
  readonly function: Device["function"];
  /** `network`: it belongs to no node more than to another. */
  readonly attachment: Attachment;
  readonly driver?: string;
  /** As the host names them. */
  readonly devicePaths: readonly string[];
  /** The name in `/dev/serial/by-id`. */
  readonly byId?: string;
  /** The USB port path, such as `1-1.2`. Absent for what is on the network. */
  readonly port?: string;
  readonly serial?: string;
  readonly usb?: UsbView;
  readonly wifi?: WifiFacts;
  readonly bluetooth?: BluetoothFacts;
  readonly ieee802154?: Ieee802154Facts;
  readonly platform?: PlatformFacts;
  readonly network?: NetworkFacts;
  /** The canonical path below `/sys`; `network/` and host and port for what is on the network. */
  readonly sysPath: string;
  readonly evidence: readonly Evidence[];
}

/** A radio of the inventory. Times are ISO 8601, UTC. */
export interface RadioView extends DeviceView {
  readonly id: string;
  readonly idBasis: IdBasis;
  readonly name?: string;
  readonly state: "present" | "absent" | "bootloader";
  readonly absentSince?: string;
  readonly lease?: Lease;
  readonly firstSeen: string;
  readonly lastSeen: string;
}

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

function usbView(usb: NonNullable<Device["usb"]>): UsbView {
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
