/** How things are called for people, and numbers in files. */
import type { Reading } from "../../core/check.ts";
import type { Radio } from "../../core/radio.ts";

/** A number in decimal, or in hexadecimal after `0x`; undefined for anything else. */
export function numberIn(reading: Reading<string>): number | undefined {
  if (reading.state !== "read") return undefined;
  const text = reading.value.trim();
  return /^(?:\d{1,15}|0x[0-9a-f]{1,12})$/i.test(text) ? Number(text) : undefined;
}

/** Why a file has no value: for the end of a sentence. */
export function whyNoFile(path: string, reading: Exclude<Reading<unknown>, { readonly state: "read" }>): string {
  return reading.state === "absent" ? `${path} is not there` : `${path}: ${reading.why}`;
}

/** What people call the radio. */
export function radioLabel({ name, identity, device, id }: Pick<Radio, "name" | "identity" | "device" | "id">): string {
  if (name !== undefined) return name;
  // Of what nobody named, the model says more.
  if (identity.state === "identified")
    return identity.vendor === "unknown vendor" ? identity.model : `${identity.vendor} ${identity.model}`;
  return identity.model ?? device.usb?.product ?? id;
}
