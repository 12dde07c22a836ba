/**
 * Names under which an API answers. A web page may have its own name resolve to our address, and is then, to the browser,
 * this API's own page (DNS rebinding); the name in the Host header is still the page's. Addresses cannot be rebound.
 */
import { isIP } from "node:net";

export interface HostNames {
  /** Whether addresses will do, of whichever node: 127.0.0.1 and ::1 always do. */
  readonly addresses: boolean;
  /** In lower case; `*.example.org` stands for each name below example.org. */
  readonly names: readonly string[];
}

/** `host` is the header. Without one no browser has sent the request, but then HTTP/1.1 is not what it speaks. */
export function isOwnHost(host: string | undefined, { addresses, names }: HostNames): boolean {
  const name = nameOf(host);
  if (name === undefined) return false;
  if (name === "localhost" || name === "127.0.0.1" || name === "::1") return true;
  if (isIP(name) !== 0) return addresses;
  return names.some((own) => (own.startsWith("*.") ? isBelow(name, own.slice(1)) : name === own));
}

/** In lower case, without port, brackets and the last dot; undefined where it is none. */
function nameOf(host: string | undefined): string | undefined {
  const { address, name } = /^(?:\[(?<address>[0-9a-f:.]+)\]|(?<name>[\w.-]+))(?::\d{1,5})?$/i.exec(host ?? "")?.groups ?? {};
  if (address !== undefined) return isIP(address) === 6 ? address.toLowerCase() : undefined;
  return name?.toLowerCase().replace(/\.$/, "");
}

function isBelow(name: string, suffix: string): boolean {
  return name.length > suffix.length && name.endsWith(suffix);
}
