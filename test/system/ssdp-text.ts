/** SSDP messages as devices write them (UPnP Device Architecture 1.1, 1.2 and 1.3). */

const lines = (...all: readonly string[]): Uint8Array => Uint8Array.from(Buffer.from(`${all.join("\r\n")}\r\n\r\n`, "latin1"));

export function mSearch({
  target,
  mx = 3,
  host = "239.255.255.250:1900",
}: {
  readonly target: string;
  readonly mx?: number;
  readonly host?: string;
}): Uint8Array {
  return lines("M-SEARCH * HTTP/1.1", `HOST: ${host}`, 'MAN: "ssdp:discover"', `MX: ${mx}`, `ST: ${target}`);
}

export interface Notification {
  readonly uuid: string;
  readonly kind?: "ssdp:alive" | "ssdp:byebye" | "ssdp:update";
  readonly location: string;
  readonly host?: string;
}

export function notify({ uuid, kind = "ssdp:alive", location, host = "239.255.255.250:1900" }: Notification): Uint8Array {
  const alive = ["CACHE-CONTROL: max-age=1800", `LOCATION: ${location}`, "SERVER: Linux/6 UPnP/1.1 test/1"];
  const update = [`LOCATION: ${location}`, "NEXTBOOTID.UPNP.ORG: 2"];
  return lines(
    "NOTIFY * HTTP/1.1",
    `HOST: ${host}`,
    ...(kind === "ssdp:alive" ? alive : kind === "ssdp:update" ? update : []),
    "NT: upnp:rootdevice",
    `NTS: ${kind}`,
    `USN: uuid:${uuid}::upnp:rootdevice`,
    "BOOTID.UPNP.ORG: 1",
    "CONFIGID.UPNP.ORG: 1",
  );
}

export function searchAnswer({
  uuid,
  target,
  location,
}: {
  readonly uuid: string;
  readonly target: string;
  readonly location: string;
}): Uint8Array {
  return lines(
    "HTTP/1.1 200 OK",
    "CACHE-CONTROL: max-age=1800",
    "EXT:",
    `LOCATION: ${location}`,
    "SERVER: Linux/6 UPnP/1.1 test/1",
    `ST: ${target}`,
    `USN: uuid:${uuid}::${target}`,
  );
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
