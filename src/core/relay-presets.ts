/** Named groups of service types, as rules of the relay may call them. Each is written out in full where rules are shown. */

/**
 * DNS-SD types and UPnP types that belong together: what devices announce and apps look for, after the IANA registry of
 * service names, the UPnP and DIAL specifications, and the discovery tables of Home Assistant.
 */
export const relayPresets: Readonly<Record<string, readonly string[]>> = {
  airplay: ["_airplay._tcp", "_raop._tcp"],
  androidtv: ["_androidtvremote._tcp", "_androidtvremote2._tcp"],
  appletv: ["_mediaremotetv._tcp", "_companion-link._tcp", "_touch-able._tcp", "_appletv-v2._tcp", "_hscp._tcp", "_dacp._tcp"],
  cast: [
    "_googlecast._tcp",
    "_googlezone._tcp",
    "urn:dial-multiscreen-org:device:dial:1",
    "urn:dial-multiscreen-org:service:dial:1",
    "urn:dial-multiscreen-org:device:dialreceiver:1",
  ],
  dlna: [
    "urn:schemas-upnp-org:device:MediaServer:1",
    "urn:schemas-upnp-org:device:MediaRenderer:1",
    "urn:schemas-upnp-org:service:ContentDirectory:1",
    "urn:schemas-upnp-org:service:ConnectionManager:1",
    "urn:schemas-upnp-org:service:AVTransport:1",
    "urn:schemas-upnp-org:service:RenderingControl:1",
  ],
  esphome: ["_esphomelib._tcp"],
  files: ["_smb._tcp", "_afpovertcp._tcp", "_adisk._tcp", "_nfs._tcp", "_webdav._tcp", "_webdavs._tcp", "_ftp._tcp"],
  homeassistant: ["_home-assistant._tcp"],
  homekit: ["_hap._tcp", "_hap._udp", "_homekit._tcp"],
  hue: ["_hue._tcp", "urn:schemas-upnp-org:device:Basic:1"],
  kodi: ["_xbmc-jsonrpc-h._tcp", "_xbmc-jsonrpc._tcp", "_xbmc-events._udp"],
  matter: ["_matter._tcp", "_matterc._udp", "_matterd._udp"],
  mqtt: ["_mqtt._tcp", "_secure-mqtt._tcp"],
  plex: ["_plexmediasvr._tcp"],
  printers: [
    "_ipp._tcp",
    "_ipps._tcp",
    "_printer._tcp",
    "_pdl-datastream._tcp",
    "_scanner._tcp",
    "_uscan._tcp",
    "_uscans._tcp",
    "urn:schemas-upnp-org:device:Printer:1",
    "urn:schemas-upnp-org:service:PrintBasic:1",
  ],
  roku: ["roku:ecp", "urn:roku-com:device:player:1-0"],
  router: ["urn:schemas-upnp-org:device:InternetGatewayDevice:1", "urn:schemas-upnp-org:service:WANIPConnection:1"],
  samsungtv: ["_samsungmsf._tcp", "urn:samsung.com:device:RemoteControlReceiver:1", "urn:samsung.com:service:MultiScreenService:1"],
  shelly: ["_shelly._tcp"],
  "sleep-proxy": ["_sleep-proxy._udp"],
  sonos: ["_sonos._tcp", "urn:schemas-upnp-org:device:ZonePlayer:1", "urn:smartspeaker-audio:service:SpeakerGroup:1"],
  spotify: ["_spotify-connect._tcp"],
  ssh: ["_ssh._tcp", "_sftp-ssh._tcp"],
  thread: ["_meshcop._udp", "_meshcop-e._udp", "_trel._udp", "_srpl-tls._tcp"],
  web: ["_http._tcp", "_https._tcp"],
  wled: ["_wled._tcp"],
};
