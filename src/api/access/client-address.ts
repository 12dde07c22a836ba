/** Whom to count a connection to. */
import { isIPv4 } from "node:net";
import { parseNetworkPrefix } from "../../core/network-prefix.ts";

/** Bits of an IPv6 address by which one host or household is told: it may use any address in its /64 (RFC 4291 §2.5.4). */
const householdBytes = 8;

/** The same for all that one host can send from. `address` as the kernel writes it. */
export function clientOf(address: string | undefined): string {
  if (address === undefined) return "none";
  if (isIPv4(address)) return address;
  const plain = address.replace(/%.*$/, "").replace(/^::ffff:([\d.]+)$/i, "$1");
  const { bytes } = parseNetworkPrefix(plain) ?? {};
  if (bytes === undefined || bytes.length === 4) return plain;
  return `${Buffer.from(bytes.subarray(0, householdBytes)).toString("hex")}::/64`;
}

/** Whether the other side is this machine itself. What the kernel routes to 127.0.0.1 from outside (route_localnet) is not. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(address);
}
