/** The annotation that holds everything, for programs that want more than labels can say. */
import type { Identity } from "../../core/identity.ts";
import type { Radio } from "../../core/radio.ts";

/** Bytes. Kubernetes allows 256 KiB for all annotations of an object together; others need room too. */
const largest = 128 * 1024;

/** The annotation's key. */
export function radiosAnnotationOf(prefix: string): string {
  return `${prefix}/radios`;
}

/** USB allows 126 characters in a string descriptor (USB 2.0 §9.6.7); what is longer does not come from there. */
const longestText = 126;

/**
 * `{"radios":[…],"omitted":0}`, radios by id, the same bytes for the same facts. When it would grow too large, first
 * details are left out of every radio (`"brief":true`), then whole radios (`omitted` says how many).
 */
export function radiosAnnotation(radios: readonly Radio[]): string {
  const sorted = radios.toSorted(({ id: a }, { id: b }) => (a < b ? -1 : Number(a > b)));
  const full = JSON.stringify({ radios: sorted.map(radioFacts), omitted: 0 });
  if (Buffer.byteLength(full) <= largest) return full;

  const kept: string[] = [];
  let size = JSON.stringify({ brief: true, radios: [], omitted: sorted.length }).length;
  for (const radio of sorted) {
    const fact = JSON.stringify(briefFacts(radio));
    size += Buffer.byteLength(fact) + 1;
    if (size > largest) break;
    kept.push(fact);
  }
  return `{"brief":true,"radios":[${kept.join(",")}],"omitted":${sorted.length - kept.length}}`;
}

/** Nothing here may change while the radio does not, or an idle node would be written to. */
function radioFacts(radio: Radio): object {
  const { id, idBasis, name, presence, mode, device, identity } = radio;
  const { usb, bluetooth, wifi, ieee802154 } = device;
  return {
    id,
    idBasis,
    name,
    presence,
    mode,
    ...identityFacts(identity),
    function: device.function,
    driver: device.driver,
    nodes: device.nodes.length > 0 ? device.nodes.map(({ path }) => path).sort() : undefined,
    byId: clip(device.byId, 255),
    usb: usb && {
      vendorId: usb.vendorId,
      productId: usb.productId,
      manufacturer: clip(usb.manufacturer),
      product: clip(usb.product),
      serial: clip(usb.serial),
      port: usb.port,
      interfaceNumber: usb.interfaceNumber,
    },
    controller: bluetooth?.controller,
    phy: wifi?.phy ?? ieee802154?.phy,
    accessPoint: wifi?.accessPoint,
  };
}

function identityFacts(identity: Identity): object {
  const { state, model } = identity;
  const said = { state, model: clip(model) };
  if (identity.state === "unknown") return said;
  if (identity.state === "ambiguous") return { ...said, candidates: identity.candidates };
  return {
    ...said,
    kinds: identity.kinds,
    certainty: identity.certainty,
    alternatives: identity.alternatives.length > 0 ? identity.alternatives : undefined,
    vendor: clip(identity.vendor),
    adapter: identity.adapter,
    firmware: clip(identity.firmware),
    line: identity.line,
  };
}

function briefFacts({ id, name, presence, mode, device, identity }: Radio): object {
  return {
    id,
    name,
    presence,
    mode,
    state: identity.state,
    kinds: identity.state === "identified" ? identity.kinds : undefined,
    certainty: identity.state === "identified" ? identity.certainty : undefined,
    model: clip(identity.model, 63),
    nodes: device.nodes.length > 0 ? device.nodes.map(({ path }) => path.slice(0, 63)).sort() : undefined,
    port: clip(device.usb?.port, 63),
  };
}

function clip(text: string | undefined, longest = longestText): string | undefined {
  return text === undefined ? undefined : Array.from(text).slice(0, longest).join("");
}
