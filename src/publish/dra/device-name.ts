/** What a radio is called in a ResourceSlice. Pure. */
import { createHash } from "node:crypto";

/** A DNS label (RFC 1123 §2.1), as the API server checks it (apimachinery, util/validation: IsDNS1123Label). */
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const longestLabel = 63;

/** 64 bits: serial numbers are chosen by whoever made the stick. */
const hashDigits = 16;
/** How a name ends whose radio id could not be taken as it is. No id that ends like it is taken as it is either. */
const hashed = new RegExp(`(^|-)x[0-9a-f]{${hashDigits}}$`);

/**
 * The radio's id where that is a DNS label, else the id in lower case, what does not belong there replaced, and `-x` with
 * sixteen digits of its SHA-256: the same name for the same id on every node, and another for every other id.
 */
export function toDeviceName(radioId: string): string {
  if (label.test(radioId) && !hashed.test(radioId)) return radioId;
  const ending = `x${createHash("sha256").update(radioId).digest("hex").slice(0, hashDigits)}`;
  const readable = radioId
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, longestLabel - ending.length - 1)
    .replaceAll(/^-+|-+$/g, "");
  return readable === "" ? ending : `${readable}-${ending}`;
}
