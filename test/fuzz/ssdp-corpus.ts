/** SSDP and WS-Discovery packets in the shape devices and programs send them, valid and not, to test with and to mutate. Names and numbers are made up. */

interface Sample {
  readonly name: string;
  readonly text: string;
}

const uuid = "2f402f80-da50-11e1-9b23-001788255acc";

function packet(...lines: readonly string[]): string {
  return [...lines, "", ""].join("\r\n");
}

function search(...lines: readonly string[]): string {
  return packet("M-SEARCH * HTTP/1.1", "HOST: 239.255.255.250:1900", ...lines);
}

/** What a relay takes. */
export const ssdpSamples: readonly Sample[] = [
  { name: "search for all", text: search('MAN: "ssdp:discover"', "MX: 3", "ST: ssdp:all") },
  { name: "search, MX 0", text: search('MAN: "ssdp:discover"', "MX: 0", "ST: upnp:rootdevice") },
  { name: "search, MX 120", text: search('MAN: "ssdp:discover"', "MX: 120", "ST: upnp:rootdevice") },
  { name: "search without MX", text: search('MAN: "ssdp:discover"', "ST: urn:dial-multiscreen-org:service:dial:1") },
  { name: "search without MAN", text: search("MX: 2", "ST: urn:schemas-upnp-org:device:ZonePlayer:1") },
  { name: "search, MAN without quotes", text: search("MAN: ssdp:discover", "MX: 2", "ST: ssdp:all") },
  {
    name: "search, headers in lower case",
    text: packet("M-SEARCH * HTTP/1.1", "host:239.255.255.250:1900", 'man:"ssdp:discover"', "mx:1", "st:roku:ecp"),
  },
  { name: "search, LF only", text: search('MAN: "ssdp:discover"', "MX: 2", "ST: ssdp:all").replaceAll("\r\n", "\n") },
  { name: "search without an empty line", text: search('MAN: "ssdp:discover"', "MX: 2", "ST: ssdp:all").slice(0, -2) },
  { name: "search with a NUL after it", text: `${search('MAN: "ssdp:discover"', "MX: 2", "ST: ssdp:all")}\0` },
  {
    name: "search on IPv6 (DIAL)",
    text: packet(
      "M-SEARCH * HTTP/1.1",
      "HOST: [FF02::C]:1900",
      'MAN: "ssdp:discover"',
      "MX: 1",
      "ST: urn:dial-multiscreen-org:service:dial:1",
      "USER-AGENT: Browser/131.0 Linux",
    ),
  },
  {
    name: "Sonos alive",
    text: packet(
      "NOTIFY * HTTP/1.1",
      "HOST: 239.255.255.250:1900",
      "CACHE-CONTROL: max-age = 1800",
      "LOCATION: http://192.168.40.7:1400/xml/device_description.xml",
      "NT: urn:schemas-upnp-org:device:ZonePlayer:1",
      "NTS: ssdp:alive",
      "SERVER: Linux UPnP/1.0 Sonos/79.1-52020 (ZPS9)",
      "USN: uuid:RINCON_000E58A0B1C201400::urn:schemas-upnp-org:device:ZonePlayer:1",
      "X-RINCON-HOUSEHOLD: Sonos_aBcDeFgHiJkLmNoPqRsTuVwXyZ",
      "X-RINCON-BOOTSEQ: 84",
      "BOOTID.UPNP.ORG: 84",
      "X-RINCON-WIFIMODE: 0",
      "X-RINCON-VARIANT: 2",
      "HOUSEHOLD.SMARTSPEAKER.AUDIO: Sonos_aBcDeFgHiJkLmNoPqRsTuVwXyZ.bCdEfGhIjKlMnOpQ",
      "LOCATION.SMARTSPEAKER.AUDIO: lc_00112233445566778899aabbccddeeff",
      "SECURELOCATION.UPNP.ORG: https://192.168.40.7:1443/xml/device_description.xml",
    ),
  },
  {
    name: "Sonos answers",
    text: packet(
      "HTTP/1.1 200 OK",
      "CACHE-CONTROL: max-age = 1800",
      "EXT:",
      "LOCATION: http://192.168.40.7:1400/xml/device_description.xml",
      "SERVER: Linux UPnP/1.0 Sonos/79.1-52020 (ZPS9)",
      "ST: urn:schemas-upnp-org:device:ZonePlayer:1",
      "USN: uuid:RINCON_000E58A0B1C201400::urn:schemas-upnp-org:device:ZonePlayer:1",
    ),
  },
  {
    name: "Hue bridge alive",
    text: packet(
      "NOTIFY * HTTP/1.1",
      "HOST: 239.255.255.250:1900",
      "CACHE-CONTROL: max-age=100",
      "LOCATION: http://192.168.40.2:80/description.xml",
      "SERVER: Hue/1.0 UPnP/1.0 IpBridge/1.66.0",
      "NTS: ssdp:alive",
      "hue-bridgeid: 001788FFFE255ACC",
      "NT: upnp:rootdevice",
      `USN: uuid:${uuid}::upnp:rootdevice`,
    ),
  },
  {
    name: "DIAL answers",
    text: packet(
      "HTTP/1.1 200 OK",
      "CACHE-CONTROL: max-age=1800",
      "DATE: Sun, 22 Nov 2026 08:00:00 GMT",
      "EXT: ",
      "LOCATION: http://192.168.40.9:8008/ssdp/device-desc.xml",
      'OPT: "http://schemas.upnp.org/upnp/1/0/"; ns=01',
      "01-NLS: 161d2e68-1dd2-11b2-9a2a-8a1c2b0b1b5e",
      "SERVER: Linux/4.9.269, UPnP/1.0, Portable SDK for UPnP devices/1.6.18",
      "X-User-Agent: redsonic",
      "ST: urn:dial-multiscreen-org:service:dial:1",
      `USN: uuid:${uuid}::urn:dial-multiscreen-org:service:dial:1`,
      "BOOTID.UPNP.ORG: 7339",
      "CONFIGID.UPNP.ORG: 7339",
    ),
  },
  {
    name: "Samsung alive",
    text: packet(
      "NOTIFY * HTTP/1.1",
      "HOST: 239.255.255.250:1900",
      "CACHE-CONTROL: max-age=1800",
      "DATE: Thu, 01 Jan 1970 00:26:09 GMT",
      "LOCATION: http://192.168.40.11:9197/dmr",
      "NT: urn:schemas-upnp-org:device:MediaRenderer:1",
      "NTS: ssdp:alive",
      "SERVER: SHP, UPnP/1.0, Samsung UPnP SDK/1.0",
      `USN: uuid:${uuid}::urn:schemas-upnp-org:device:MediaRenderer:1`,
      "CONTENT-LENGTH: 0",
      "BOOTID.UPNP.ORG: 1",
    ),
  },
  {
    name: "byebye",
    text: packet(
      "NOTIFY * HTTP/1.1",
      "HOST: 239.255.255.250:1900",
      "NT: upnp:rootdevice",
      "NTS: ssdp:byebye",
      `USN: uuid:${uuid}::upnp:rootdevice`,
    ),
  },
  {
    name: "update",
    text: packet(
      "NOTIFY * HTTP/1.1",
      "HOST: 239.255.255.250:1900",
      "LOCATION: http://192.168.40.2:80/description.xml",
      "NT: upnp:rootdevice",
      "NTS: ssdp:update",
      `USN: uuid:${uuid}::upnp:rootdevice`,
      "BOOTID.UPNP.ORG: 7",
      "NEXTBOOTID.UPNP.ORG: 8",
    ),
  },
  {
    name: "alive, only reachable on its link",
    text: packet(
      "NOTIFY * HTTP/1.1",
      "HOST: [FF02::C]:1900",
      "CACHE-CONTROL: max-age=1800",
      "LOCATION: http://[fe80::211:32ff:fe12:3456%eth0]:5000/ssdp/desc.xml",
      "NT: upnp:rootdevice",
      "NTS: ssdp:alive",
      `USN: uuid:${uuid}::upnp:rootdevice`,
    ),
  },
];

/** What a relay refuses. */
export const ssdpJunk: readonly Sample[] = [
  { name: "nothing", text: "" },
  { name: "an empty line", text: "\r\n\r\n" },
  { name: "cut within a header", text: search('MAN: "ssdp:discover"', "MX: 2", "ST: ssdp:all").slice(0, -7) },
  { name: "a NUL in a header", text: search("ST: ssdp:\0all") },
  { name: "a CR alone", text: search("ST: ssdp:all\rMX: 3") },
  { name: "a continued line", text: search("ST: ssdp:all", " more") },
  { name: "a space before the colon", text: search("ST : ssdp:all") },
  { name: "a header without colon", text: search("ST: ssdp:all", "junk") },
  { name: "a header without name", text: search("ST: ssdp:all", ": junk") },
  { name: "no ST", text: search('MAN: "ssdp:discover"', "MX: 2") },
  { name: "an empty ST", text: search("ST: ") },
  { name: "two STs", text: search("ST: ssdp:all", "st: upnp:rootdevice") },
  { name: "another MAN", text: search('MAN: "ssdp:other"', "ST: ssdp:all") },
  { name: "a promised body", text: search("ST: ssdp:all", "Content-Length: 5") },
  { name: "a length that is none", text: search("ST: ssdp:all", "Content-Length: -0") },
  { name: "an empty length", text: search("ST: ssdp:all", "Content-Length:") },
  { name: "chunks", text: search("ST: ssdp:all", "Transfer-Encoding: chunked") },
  { name: "101 headers", text: search("ST: ssdp:all", ...Array.from({ length: 100 }, (_none, index) => `X-${index}: 1`)) },
  { name: "another method", text: packet("GET * HTTP/1.1", "ST: ssdp:all") },
  { name: "a path", text: packet("M-SEARCH / HTTP/1.1", "ST: ssdp:all") },
  { name: "method in lower case", text: packet("m-search * HTTP/1.1", "ST: ssdp:all") },
  { name: "another version", text: packet("M-SEARCH * HTTP/3.7", "ST: ssdp:all") },
  { name: "two spaces", text: packet("M-SEARCH  * HTTP/1.1", "ST: ssdp:all") },
  { name: "another status", text: packet("HTTP/1.1 404 Not Found", "ST: ssdp:all") },
  { name: "no NT", text: packet("NOTIFY * HTTP/1.1", "NTS: ssdp:alive") },
  { name: "an unknown NTS", text: packet("NOTIFY * HTTP/1.1", "NT: upnp:rootdevice", "NTS: toString") },
  { name: "no NTS", text: packet("NOTIFY * HTTP/1.1", "NT: upnp:rootdevice") },
];

const discovery2005 = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const discovery2009 = "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01";

function envelope(namespace: string, verb: string, body: string): string {
  const addressing =
    namespace === discovery2005 ? "http://schemas.xmlsoap.org/ws/2004/08/addressing" : "http://www.w3.org/2005/08/addressing";
  return `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="${addressing}" xmlns:wsd="${namespace}" xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof" xmlns:pub="http://schemas.microsoft.com/windows/pub/2005/07"><soap:Header><wsa:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To><wsa:Action>${namespace}/${verb}</wsa:Action><wsa:MessageID>urn:uuid:${uuid}</wsa:MessageID></soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`;
}

const device = `<wsa:EndpointReference><wsa:Address>urn:uuid:${uuid.toUpperCase()}</wsa:Address></wsa:EndpointReference><wsd:Types>wsdp:Device pub:Computer</wsd:Types><wsd:XAddrs>http://192.168.40.3:5357/${uuid}</wsd:XAddrs><wsd:MetadataVersion>1</wsd:MetadataVersion>`;

/** What a relay takes. */
export const wsdSamples: readonly Sample[] = [
  { name: "probe", text: envelope(discovery2005, "Probe", "<wsd:Probe><wsd:Types>wsdp:Device</wsd:Types></wsd:Probe>") },
  { name: "probe for anything", text: envelope(discovery2009, "Probe", "<wsd:Probe/>") },
  {
    name: "resolve",
    text: envelope(
      discovery2005,
      "Resolve",
      `<wsd:Resolve><wsa:EndpointReference><wsa:Address>urn:uuid:${uuid}</wsa:Address></wsa:EndpointReference></wsd:Resolve>`,
    ),
  },
  { name: "hello", text: envelope(discovery2005, "Hello", `<wsd:Hello>${device}</wsd:Hello>`) },
  { name: "hello, 2009", text: envelope(discovery2009, "Hello", `<wsd:Hello>${device}</wsd:Hello>`) },
  { name: "bye", text: envelope(discovery2005, "Bye", `<wsd:Bye>${device}</wsd:Bye>`) },
  {
    name: "probe match",
    text: envelope(discovery2005, "ProbeMatches", `<wsd:ProbeMatches><wsd:ProbeMatch>${device}</wsd:ProbeMatch></wsd:ProbeMatches>`),
  },
  {
    name: "resolve match",
    text: envelope(
      discovery2009,
      "ResolveMatches",
      `<wsd:ResolveMatches><wsd:ResolveMatch>${device}</wsd:ResolveMatch></wsd:ResolveMatches>`,
    ),
  },
];

const probe = envelope(discovery2005, "Probe", "<wsd:Probe/>");

/** What a relay refuses. */
export const wsdJunk: readonly Sample[] = [
  { name: "nothing", text: "" },
  { name: "no XML", text: "hello" },
  { name: "no envelope", text: "<a/>" },
  { name: "cut", text: probe.slice(0, -1) },
  { name: "more after it", text: `${probe}<a/>` },
  { name: "a NUL after it", text: `${probe}\0` },
  { name: "DOCTYPE", text: probe.replace("<soap:Envelope", '<!DOCTYPE a [<!ENTITY b "c">]><soap:Envelope') },
  { name: "a processing instruction", text: probe.replace("<soap:Header>", "<?php ?><soap:Header>") },
  { name: "an unknown entity", text: probe.replace("<wsd:Probe/>", "<wsd:Probe>&nbsp;</wsd:Probe>") },
  { name: "a prefix that is not declared", text: probe.replace("<wsd:Probe/>", "<wsd:Probe><x:a/></wsd:Probe>") },
  { name: "tags crossed", text: probe.replace("<wsd:Probe/>", "<wsd:Probe><a><b></a></b></wsd:Probe>") },
  { name: "an attribute twice", text: probe.replace("<wsd:Probe/>", '<wsd:Probe a="1" a="2"/>') },
  { name: "an attribute without quotes", text: probe.replace("<wsd:Probe/>", "<wsd:Probe a=1/>") },
  { name: "another encoding", text: probe.replace("utf-8", "utf-16") },
  { name: "33 levels", text: probe.replace("<wsd:Probe/>", `<wsd:Probe>${"<a>".repeat(31)}${"</a>".repeat(31)}</wsd:Probe>`) },
  { name: "another action", text: probe.replace("/Probe<", "/Steal<") },
  { name: "two actions", text: probe.replace("</soap:Header>", "<wsa:Action>x</wsa:Action></soap:Header>") },
  { name: "an action that is not the body's", text: probe.replace("/Probe<", "/Hello<") },
  { name: "two bodies", text: probe.replace("</soap:Envelope>", "<soap:Body/></soap:Envelope>") },
];
