/** Types of service on the network, in words. */

const names: Readonly<Record<string, string>> = {
  "_hap._tcp": "HomeKit",
  "_hap._udp": "HomeKit over Thread",
  "_matter._tcp": "Matter",
  "_matterc._udp": "Matter, to be set up",
  "_matterd._udp": "Matter commissioner",
  "_meshcop._udp": "Thread border router",
  "_trel._udp": "Thread over Ethernet",
  "_googlecast._tcp": "Google Cast",
  "_airplay._tcp": "AirPlay",
  "_raop._tcp": "AirPlay audio",
  "_companion-link._tcp": "Apple companion",
  "_sleep-proxy._udp": "Sleep proxy",
  "_home-assistant._tcp": "Home Assistant",
  "_esphomelib._tcp": "ESPHome",
  "_shelly._tcp": "Shelly",
  "_wled._tcp": "WLED",
  "_hue._tcp": "Philips Hue",
  "_sonos._tcp": "Sonos",
  "_spotify-connect._tcp": "Spotify Connect",
  "_mqtt._tcp": "MQTT broker",
  "_ipp._tcp": "Printer",
  "_ipps._tcp": "Printer",
  "_printer._tcp": "Printer",
  "_pdl-datastream._tcp": "Printer",
  "_scanner._tcp": "Scanner",
  "_uscan._tcp": "Scanner",
  "_http._tcp": "Web page",
  "_https._tcp": "Web page",
  "_ssh._tcp": "SSH",
  "_sftp-ssh._tcp": "SFTP",
  "_smb._tcp": "File share",
  "_afpovertcp._tcp": "File share",
  "_nfs._tcp": "File share",
  "_workstation._tcp": "Computer",
  "_slzb-06._tcp": "Zigbee coordinator",
  "_zigbee-coordinator._tcp": "Zigbee coordinator",
  "_zwave-js-server._tcp": "Z-Wave JS",
  "_meshtastic._tcp": "Meshtastic",
  "_androidtvremote2._tcp": "Android TV",
};

const upnpDevice = /^urn:[^:]+:(?:device|service):([^:]+):\d+$/;

/** `HomeKit`; for UPnP the device's own word; else nothing. */
export function serviceName(service: string): string | undefined {
  return names[service] ?? upnpDevice.exec(service)?.[1];
}
