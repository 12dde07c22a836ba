/** What a ResourceSlice says of a radio, for CEL selectors to choose by. Pure. */
import { unprintable } from "../../core/printable.ts";
import type { Radio } from "../../core/radio.ts";

/** One of these and no other (kubernetes/api, resource/v1: DeviceAttribute). */
type DeviceAttribute = { readonly string: string } | { readonly bool: boolean } | { readonly int: number } | { readonly version: string };

export type DeviceAttributes = Readonly<Record<string, DeviceAttribute>>;

/** Bytes in UTF-8 (resource/v1: DeviceAttributeMaxValueLength). */
const longestValue = 64;
/** Resource/v1: ResourceSliceMaxAttributesAndCapacitiesPerDevice. */
const mostAttributes = 32;
/** Resource/v1: DeviceMaxIDLength; what is before the slash is the driver's name unless said otherwise. */
const longestName = 32;

/** As resource/v1 checks it; the API server has no way to take `7.4` or `7.4.4.0` as a version. */
const numeric = "(0|[1-9][0-9]*)";
const part = "(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)";
const semanticVersion = new RegExp(`^${numeric}\\.${numeric}\\.${numeric}(-${part}(\\.${part})*)?(\\+[0-9a-zA-Z-]+(\\.[0-9a-zA-Z-]+)*)?$`);

/**
 * Everything that is known of the radio, by names without a domain, which are then the driver's. Each of its kinds is an
 * attribute of its own, `zigbee: true`, since lists are not to be had everywhere; a kind that is called like another
 * attribute is only in `kinds`. Text is cut to 64 bytes; nothing is empty.
 */
export function deviceAttributes(radio: Radio, group: string): DeviceAttributes {
  const { device, identity } = radio;
  const { usb } = device;
  const identified = identity.state === "identified" ? identity : undefined;
  const kinds = identified?.kinds ?? [];
  const firmware = identified?.firmware;
  const attributes: Record<string, DeviceAttribute> = {
    ...text("id", radio.id),
    ...text("name", radio.name),
    ...text("group", group),
    ...text("kind", kinds[0]),
    ...text("kinds", kinds.join(",")),
    ...text("model", identity.model),
    ...text("vendor", identified?.vendor),
    ...text("certainty", identified?.certainty),
    ...text("mode", radio.mode),
    ...text("adapter", identified?.adapter),
    ...text("firmware", firmware),
    ...(firmware !== undefined && firmware.length <= longestValue && semanticVersion.test(firmware)
      ? { firmwareVersion: { version: firmware } }
      : {}),
    ...(identified?.line === undefined ? {} : whole("baudRate", identified.line.baudRate)),
    ...text("function", device.function),
    ...text("driver", device.driver),
    ...text("vendorId", usb?.vendorId),
    ...text("productId", usb?.productId),
    ...text("manufacturer", usb?.manufacturer),
    ...text("product", usb?.product),
    ...text("serial", usb?.serial),
    ...text("port", usb?.port),
    // Radios that are reached over the network only are in no slice.
    bridged: { bool: false },
  };
  for (const kind of kinds) {
    const name = toAttributeName(kind);
    if (Object.keys(attributes).length >= mostAttributes) break;
    if (!Object.hasOwn(attributes, name)) attributes[name] = { bool: true };
  }
  return attributes;
}

/** A C identifier of at most 32 characters: `ieee802154`, `my_kind`, `_433mhz`. */
function toAttributeName(kind: string): string {
  const plain = kind.replaceAll(/[^A-Za-z0-9_]/g, "_");
  return (/^[A-Za-z_]/.test(plain) ? plain : `_${plain}`).slice(0, longestName);
}

function text(name: string, value: string | undefined): DeviceAttributes {
  const fit = value === undefined ? "" : fitText(value);
  return fit === "" ? {} : { [name]: { string: fit } };
}

function whole(name: string, value: number): DeviceAttributes {
  return Number.isSafeInteger(value) ? { [name]: { int: value } } : {};
}

/** The server stores valid UTF-8 and nothing else; what it changed would be written anew for ever. */
function fitText(value: string): string {
  const plain = value.toWellFormed().replaceAll(unprintable, "").trim();
  let kept = "";
  let bytes = 0;
  for (const character of plain) {
    bytes += Buffer.byteLength(character);
    if (bytes > longestValue) break;
    kept += character;
  }
  return kept.trimEnd();
}
