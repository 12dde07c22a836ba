/** Names of Leases. */
import { createHash } from "node:crypto";

const prefix = "aerial-relay";
/** A label's length (RFC 1123), though a Lease's name may be longer. */
const longest = 63;
const hashLength = 8;

/**
 * The Lease for two links, in either order: `aerial-relay-home-iot`. Where names have other than lower-case letters and
 * digits, or are long, a hash keeps apart what would else be the same.
 */
export function relayLeaseName(links: readonly [string, string]): string {
  const [a, b] = links.toSorted(byCode);
  const plain = [prefix, a, b].join("-");
  if (/^[a-z0-9]+$/.test(`${a}`) && /^[a-z0-9]+$/.test(`${b}`) && plain.length <= longest) return plain;
  const hash = createHash("sha256")
    .update(JSON.stringify([a, b]))
    .digest("hex")
    .slice(0, hashLength);
  const readable = plain
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, longest - hashLength - 1);
  return `${readable.replace(/-+$/, "")}-${hash}`;
}

function byCode(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
