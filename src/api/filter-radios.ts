/** Which radios of a list are wanted. */
import type { Operations, Radio } from "./contract/types.ts";

type Filter = Operations["listRadios"]["query"];

/** Whether all that is asked for holds. */
export function isSelected(radio: Radio, { kind, state, text }: Filter): boolean {
  return (
    (kind === undefined || radio.kinds.includes(kind)) &&
    (state === undefined || radio.state === state) &&
    (text === undefined || textsOf(radio).some((one) => one?.toLowerCase().includes(text.toLowerCase()) === true))
  );
}

/** What people know a radio by. */
function textsOf({
  id,
  name,
  vendor,
  model,
  serial,
  port,
  byId,
  devicePaths,
  sysPath,
  kinds,
  bluetooth,
  wifi,
  ieee802154,
  network,
  usb,
}: Radio) {
  return [
    id,
    name,
    vendor,
    model,
    serial,
    port,
    byId,
    sysPath,
    ...kinds,
    ...devicePaths,
    bluetooth?.controller,
    bluetooth?.address,
    wifi?.phy,
    ...((wifi ?? ieee802154)?.interfaces ?? []),
    ieee802154?.phy,
    usb?.manufacturer,
    usb?.product,
    usb && `${usb.vendorId}:${usb.productId}`,
    network?.host,
    network?.instance,
    ...(network?.addresses ?? []),
  ];
}
