/** Sightings: what people saw of a USB stick, and what it truly was. One row of a YAML list each. */
import { z } from "zod";
import { LineCounter, parseDocument } from "yaml";
import type { Device } from "../src/core/device.ts";

const hex4 = z.string().regex(/^[0-9a-f]{4}$/, "must be four lower-case hex digits");
const text = z.string().nullable();

const sighting = z.looseObject({
  id: z.string().min(1),
  by_id: text,
  vid: hex4.nullable(),
  pid: hex4.nullable(),
  manufacturer: text,
  product: text,
  driver: text,
  tty: text,
  truth: z.looseObject({
    radio: z.enum(["zigbee", "thread", "zigbee+thread", "zwave", "zwave+zigbee", "lora", "meshtastic", "ble", "wifi", "enocean", "none"]),
  }),
  trap: z.boolean(),
  generic: z.boolean(),
  ambiguous: z.boolean(),
});

export type Sighting = z.infer<typeof sighting>;

/** The sightings, or what is wrong with the text, with line numbers where YAML knows them. */
export function parseSightings(yaml: string): { readonly sightings: readonly Sighting[] } | { readonly problems: readonly string[] } {
  const lineCounter = new LineCounter();
  const document = parseDocument(yaml, { lineCounter });
  if (document.errors.length > 0) return { problems: document.errors.map((error) => error.message) };
  const checked = z.array(sighting).safeParse(document.toJS());
  if (checked.success) return { sightings: checked.data };
  return {
    problems: checked.error.issues.slice(0, 10).map((issue) => {
      const node: unknown = document.getIn(issue.path.slice(0, 1), true);
      const offset = typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range) ? Number(node.range[0]) : 0;
      return `line ${lineCounter.linePos(offset).line}: ${issue.path.slice(1).join(".") || "row"}: ${issue.message}`;
    }),
  };
}

/** The device a scan would have shown, as far as the sighting tells. What it does not tell stays out. */
export function toDevice(seen: Sighting): Device {
  const byId = seen.by_id ?? byIdOfStrings(seen);
  const node = /^tty(USB|ACM)(\d+)$/.exec(seen.tty ?? "");
  return {
    sysPath: `sightings/${seen.id}`,
    function: isSerial(seen) ? "serial" : "usb",
    nodes: node === null ? [] : [{ path: `/dev/${node[0]}`, major: node[1] === "USB" ? 188 : 166, minor: Number(node[2]) }],
    ...(seen.driver === null ? {} : { driver: seen.driver }),
    ...(byId === undefined ? {} : { byId }),
    ...(seen.vid === null || seen.pid === null
      ? {}
      : {
          usb: {
            vendorId: seen.vid,
            productId: seen.pid,
            ...(seen.manufacturer === null ? {} : { manufacturer: seen.manufacturer }),
            ...(seen.product === null ? {} : { product: seen.product }),
            port: "1-1",
            busNumber: 1,
            deviceNumber: 2,
            interfaces: [],
          },
        }),
  };
}

const serialDrivers = new Set([
  "cp210x",
  "ftdi_sio",
  "ch341",
  "ch343",
  "usb_ch343",
  "pl2303",
  "cdc_acm",
  "option",
  "xr_serial",
  "usbserial",
  "usbserial_generic",
]);

function isSerial({ by_id, tty, driver }: Sighting): boolean {
  return by_id !== null || tty !== null || (driver !== null && serialDrivers.has(driver));
}

/** Strings without ids: udev would have made the same words of them. */
function byIdOfStrings({ vid, pid, manufacturer, product }: Sighting): string | undefined {
  if ((vid !== null && pid !== null) || (manufacturer === null && product === null)) return undefined;
  return `usb-${[manufacturer, product]
    .filter((part) => part !== null)
    .join("_")
    .replaceAll(/\s+/g, "_")}`;
}
