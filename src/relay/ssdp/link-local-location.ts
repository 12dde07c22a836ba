/** Where a device says it is to be found, and whether that means anything on another link. */
import type { SsdpMessage } from "./read-ssdp.ts";

/** Whether every address it gives for the device (LOCATION, AL, SECURELOCATION.UPNP.ORG) is link-local: of no use elsewhere then. False where it gives none. */
export function locationIsLinkLocal({ headers }: SsdpMessage): boolean {
  const further = headers.get("al")?.match(/[^<>\s]+/g) ?? [];
  return urlsAreLinkLocal([headers.get("location") ?? "", headers.get("securelocation.upnp.org") ?? "", ...further]);
}

/** Whether all URLs among these have link-local hosts: 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291 §2.5.6). False where there is no URL. */
export function urlsAreLinkLocal(urls: readonly string[]): boolean {
  const hosts = urls.flatMap((url) => hostOf(url) ?? []);
  return hosts.length > 0 && hosts.every((host) => /^(?:::ffff:)?169\.254\.|^fe[89ab][0-9a-f]:/i.test(host));
}

/** Not `new URL`, which refuses the zones (`fe80::1%eth0`) that devices write. */
function hostOf(url: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1];
  if (authority === undefined) return undefined;
  const place = authority.slice(authority.lastIndexOf("@") + 1);
  const host = place.startsWith("[") ? place.slice(1).split("]")[0] : place.split(":")[0];
  return host === undefined || host === "" ? undefined : host;
}
