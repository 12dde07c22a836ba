/** Radios and devices as tables and short lines. */
import type { DeviceView, RadioView } from "../api/radio-view.ts";
import type { Cell, Column } from "./table.ts";

/** `zigbee`, `zigbee (likely)`, `zigbee or thread?`, or nothing. */
export function describeKind(view: DeviceView): string {
  if (view.certainty === "ambiguous") return `${view.candidates.length === 0 ? "something" : view.candidates.join(" or ")}?`;
  const kinds = view.kinds.join("+");
  return view.certainty === "likely" ? `${kinds} (likely)` : kinds;
}

/** Vendor and model, else what the USB strings say. */
export function describeModel(view: DeviceView): string {
  const { vendor, model, usb } = view;
  if (model !== undefined) return vendor === undefined || model.startsWith(vendor) ? model : `${vendor} ${model}`;
  return [usb?.manufacturer, usb?.product].filter((part) => part !== undefined).join(" ");
}

function kindCell(view: DeviceView): Cell {
  const color = { certain: "green", likely: "green", ambiguous: "yellow", unknown: "dim" } as const;
  return { text: describeKind(view), color: color[view.certainty] };
}

function stateCell(view: RadioView): Cell {
  const color = { present: "green", absent: "dim", bootloader: "yellow" } as const;
  return { text: view.state, color: color[view.state] };
}

const usbId = ({ usb }: DeviceView): string | undefined => usb && `${usb.vendorId}:${usb.productId}`;

/** By what it is reached: device nodes, host and port, else the kernel's name for the controller or phy. */
export function describePlace(view: DeviceView): string {
  if (view.network !== undefined) return `${view.network.host}:${view.network.port}`;
  return view.devicePaths.join(" ") || (view.bluetooth?.controller ?? view.wifi?.phy ?? view.ieee802154?.phy ?? "");
}

const placeColumns: readonly Column<DeviceView>[] = [
  { title: "DEVICE", cell: describePlace },
  { title: "PORT", cell: (view) => view.port },
  { title: "SERIAL", cell: (view) => view.serial },
];

const wideColumns: readonly Column<DeviceView>[] = [
  { title: "USB", cell: usbId },
  { title: "DRIVER", cell: (view) => view.driver },
  { title: "BY-ID", cell: (view) => view.byId },
];

/** Columns of `aerial devices`. */
export const radioColumns: readonly Column<RadioView>[] = [
  { title: "NAME", cell: (view) => view.name ?? view.id },
  { title: "KIND", cell: kindCell },
  { title: "MODEL", cell: describeModel },
  { title: "STATE", cell: stateCell },
  { title: "ATTACHED", cell: (view) => view.attachment },
  ...placeColumns,
];

/** Columns of `aerial devices -o wide`. */
export const wideRadioColumns: readonly Column<RadioView>[] = [
  { title: "ID", cell: (view) => view.id },
  { title: "NAME", cell: (view) => view.name },
  ...radioColumns.slice(1),
  ...wideColumns,
  { title: "LAST SEEN", cell: (view) => view.lastSeen },
];

/** Columns of `aerial scan`. */
export const deviceColumns: readonly Column<DeviceView>[] = [
  { title: "KIND", cell: kindCell },
  { title: "MODEL", cell: describeModel },
  ...placeColumns,
  { title: "USB", cell: usbId },
  { title: "DRIVER", cell: (view) => view.driver },
];
