/** Drawings of one line each, in the colour of the text around them. */
import { h, type VirtualElement } from "../dom/element.ts";

/** Paths on a field of 24 by 24, drawn with a line of 1.75. */
const paths = {
  well: "M5 12.5l4.5 4.5L19 7.5",
  attention: "M12 8v5m0 3.2v.1M10.4 4.2 2.9 17.3A1.9 1.9 0 0 0 4.5 20h15a1.9 1.9 0 0 0 1.6-2.7L13.6 4.2a1.9 1.9 0 0 0-3.2 0Z",
  fail: "M12 7v6m0 3.6v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
  unknown: "M9.2 9.2a2.9 2.9 0 1 1 4.3 2.5c-1 .6-1.5 1.1-1.5 2.3m0 2.8v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
  info: "M12 11v5m0-8.6v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
  copy: "M9 9h10v11H9zM15 9V4H5v11h4",
  refresh: "M20 11a8 8 0 0 0-14-4.6L4 8.5M4 4v4.5h4.5M4 13a8 8 0 0 0 14 4.6l2-2.1m0 4.5v-4.5h-4.5",
  close: "M6 6l12 12M18 6 6 18",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14Zm5 12 4.5 4.5",
  download: "M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 20h14",
  stethoscope: "M6 3v5a4 4 0 0 0 8 0V3M10 12v3.5a4.5 4.5 0 0 0 9 0V13m0-3.5a1.7 1.7 0 1 0 0 3.5 1.7 1.7 0 0 0 0-3.5Z",
  chevron: "M9 5l7 7-7 7",
  plug: "M9 3v5m6-5v5M6 8h12v3a6 6 0 0 1-12 0Zm6 9v4",
  unplug: "M9 3v3m6-3v3M6 8h12v3a6 6 0 0 1-.6 2.6M6 8v3a6 6 0 0 0 6 6v4M4 3l17 18",
  pencil: "M4 20h4L19 9l-4-4L4 16Zm9-13 4 4",
  swap: "M4 8h14m-3.5-4L18 8l-3.5 4M20 16H6m3.5-4L6 16l3.5 4",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20a7.5 7.5 0 0 1 15 0",
  mesh: "M12 3.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM5 15.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4Zm14 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM11 7.4 6 15.6m7-8.2 5 8.2M7 17.5h10",
  wave: "M3 12c2-6 4-6 6 0s4 6 6 0 4-6 6 0",
  tower: "M12 10v11m-4 0h8M8.5 12.5a5 5 0 1 1 7 0M5.7 15.3a9 9 0 1 1 12.6 0",
  bluetooth: "M7 8l10 8-5 4V4l5 4L7 16",
  wifi: "M3.5 9.5a12 12 0 0 1 17 0M6.5 13a7.8 7.8 0 0 1 11 0M9.5 16.3a3.6 3.6 0 0 1 5 0M12 19.5v.1",
  chip: "M8 8h8v8H8zM5 5h14v14H5zM9 2v3m6-3v3M9 19v3m6-3v3M2 9h3m-3 6h3m14-6h3m-3 6h3",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2",
  network: "M9 3h6v5H9zM3 16h6v5H3zm12 0h6v5h-6zM12 8v4m-6 4v-4h12v4",
} as const;

export type IconName = keyof typeof paths;

/** Says nothing to a screen reader: the words beside it do. */
export function icon(name: IconName): VirtualElement {
  return h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, h("path", { d: paths[name] }));
}
