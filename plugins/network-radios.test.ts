/** Radios on the network, from what they announce to what they are taken for. */
import { describe, expect, it } from "vitest";
import { announcement, toResponse } from "../test/fixtures/dns-responses.ts";
import { seenService } from "../test/fixtures/seen-services.ts";
import type { Identity } from "../src/core/identity.ts";
import { toDeviceView } from "../src/identify/device-view.ts";
import { identify } from "../src/identify/identify.ts";
import { claimsOf } from "../src/identify/match-fingerprint.ts";
import { networkServicesOf } from "../src/plugins/plugin-runner.ts";
import { createSeenServices } from "../src/relay/seen/seen-services.ts";
import { toNetworkDevices } from "../src/scan/network-devices.ts";
import { builtInPlugins } from "./index.ts";

const wanted = new Set(builtInPlugins.flatMap(networkServicesOf));

interface Announcement {
  readonly service: string;
  readonly instance: string;
  readonly port?: number;
  readonly text?: Readonly<Record<string, string>>;
}

function identitiesOf(announcements: readonly Announcement[]): readonly Identity[] {
  const services = announcements.map((one) => seenService({ host: "thing.local", ...one }));
  return toNetworkDevices(services, wanted).map((device) => {
    const view = toDeviceView(device);
    return identify(
      device,
      builtInPlugins.flatMap((plugin) => claimsOf(plugin, view)),
    );
  });
}

describe("is taken for what it says it is", () => {
  const coordinator = { baud_rate: "115200", data_flow_control: "software", version: "1.0" };
  it.each<[Announcement, object]>([
    [
      {
        service: "_zigbee-coordinator._tcp",
        instance: "coordinator-1",
        text: { ...coordinator, radio_type: "ezsp", serial_number: "0x00124b0001020304", name: "Coordinator" },
      },
      { kinds: ["zigbee"], certainty: "likely", alternatives: ["thread"], adapter: "ember" },
    ],
    [
      {
        service: "_xzg._tcp",
        instance: "XZG-ABCD",
        text: { ...coordinator, radio_type: "znp", serial_number: "00124B0001020304", board: "UZG-01" },
      },
      { kinds: ["zigbee"], certainty: "likely", adapter: "zstack", vendor: "XZG", model: "UZG-01" },
    ],
    [
      { service: "_slzb-06._tcp", instance: "slzb-06", text: { mac: "AA:BB:CC:DD:EE:0F" } },
      { kinds: ["zigbee"], certainty: "likely", alternatives: ["thread"], vendor: "SMLIGHT", model: "SLZB-06 family" },
    ],
    [
      { service: "_slzb-06._tcp", instance: "slzb-06m", text: { radio_type: "efr32" } },
      { kinds: ["zigbee"], adapter: "ember" },
    ],
    [
      { service: "_uzg-01._tcp", instance: "uzg-01", text: { radio_type: "ZNP" } },
      { kinds: ["zigbee"], adapter: "zstack" },
    ],
    [
      { service: "_zigstar_gw._tcp", instance: "zigstar", text: {} },
      { kinds: ["zigbee"], vendor: "ZigStar" },
    ],
    [
      { service: "_czc._tcp", instance: "czc-1", text: { radio_type: "znp" } },
      { kinds: ["zigbee"], vendor: "codm", adapter: "zstack" },
    ],
    [
      { service: "_zigbee-gateway._tcp", instance: "gw", text: { radio_type: "deconz" } },
      { kinds: ["zigbee"], adapter: "deconz", alternatives: [] },
    ],
    [{ service: "_zigbee-gateway._tcp", instance: "gw", text: { radio_type: "xbee" } }, { adapter: "xbee" }],
    [{ service: "_zigbee-coordinator._tcp", instance: "gw", text: { radio_type: "zigate" } }, { adapter: "zigate" }],
    [
      { service: "_zigate-zigbee-gateway._tcp", instance: "zigate", port: 9_999 },
      { kinds: ["zigbee"], adapter: "zigate" },
    ],
    [
      {
        service: "_esphomelib._tcp",
        instance: "tubeszb-2652p",
        port: 6_053,
        text: { mac: "aabbccddeeff", platform: "ESP32", board: "wt32-eth01" },
      },
      { kinds: ["zigbee"], vendor: "TubesZB", certainty: "likely" },
    ],
    [
      { service: "_zwave._tcp", instance: "zwa-2", port: 6_053, text: { protocol: "esphome" } },
      { kinds: ["zwave"], certainty: "certain", adapter: "esphome" },
    ],
    [
      { service: "_zwave._tcp", instance: "serial port" },
      { kinds: ["zwave"], certainty: "certain" },
    ],
    [
      { service: "_esphomelib._tcp", instance: "home-assistant-zwa-2-0a1b2c", port: 6_053 },
      { kinds: ["zwave"], vendor: "Nabu Casa" },
    ],
    [
      { service: "_esphomelib._tcp", instance: "kitchen", port: 6_053, text: { project_name: "esphome.bluetooth-proxy", network: "wifi" } },
      { kinds: ["bluetooth"], certainty: "likely" },
    ],
    [
      { service: "_esphomelib._tcp", instance: "olimex-bluetooth-proxy-0a1b2c", port: 6_053 },
      { kinds: ["bluetooth"], certainty: "likely" },
    ],
    [
      {
        service: "_meshcop._udp",
        instance: "OpenThread HC",
        port: 49_153,
        text: { vn: "HomeAssistant", mn: "OpenThreadBorderRouter", xa: "aeeb2f594b570bbf" },
      },
      { kinds: ["thread"], certainty: "certain", vendor: "HomeAssistant" },
    ],
    [
      { service: "_meshcop._udp", instance: "BorderRouter", port: 49_153, text: { vn: "OpenThread" } },
      { kinds: ["thread"], vendor: "OpenThread" },
    ],
    [
      {
        service: "_meshtastic._tcp",
        instance: "Meshtastic",
        port: 4_403,
        text: { shortname: "ABCD", id: "!0badf00d", pio_env: "heltec-v3" },
      },
      { kinds: ["meshtastic"], certainty: "certain", model: "heltec-v3" },
    ],
  ])("%o", (announcement, identity) => {
    expect(identitiesOf([announcement])).toEqual([expect.objectContaining({ state: "identified", mode: "application", ...identity })]);
  });
});

describe("is no radio to us", () => {
  it.each<[Announcement]>([
    [{ service: "_http._tcp", instance: "XZG-ABCD", port: 80, text: { radio_type: "znp" } }],
    [{ service: "_esphomelib._tcp", instance: "kitchen-lamp", text: { platform: "ESP32" } }],
    [{ service: "_esphomelib._tcp", instance: "voice", text: { project_name: "nabucasa.home-assistant-voice-pe" } }],
    [{ service: "_zigbee-gateway._tcp", instance: "some hub", text: {} }],
    [{ service: "_zigbee-coordinator._tcp", instance: "odd", text: { radio_type: "none" } }],
    [{ service: "_meshcop._udp", instance: "Living Room", text: { vn: "Apple Inc.", xa: "0011223344556677" } }],
    [{ service: "_meshcop._udp", instance: "Google-Nest-Hub", text: { vn: "Google Inc." } }],
    [{ service: "_zwave-js-server._tcp", instance: "3221225474", port: 3_000, text: { homeid: "3221225474" } }],
    [{ service: "_matter._tcp", instance: "2906C908D115D362-8FC7772401CD0696" }],
    [{ service: "_hap._tcp", instance: "Bridge" }],
    [{ service: "_trel._udp", instance: "aeeb2f594b570bbf" }],
  ])("%o", (announcement) => {
    expect(identitiesOf([announcement]).filter(({ state }) => state !== "unknown")).toEqual([]);
  });
});

it("is one radio under the three types of one socket", () => {
  const text = { radio_type: "znp", serial_number: "00124B0001020304", board: "UZG-01" };
  const announcements = ["_xzg._tcp", "_zigbee-gateway._tcp", "_zigstar_gw._tcp"].map((service) => ({
    service,
    instance: "XZG-ABCD",
    text,
  }));
  const [identity, ...more] = identitiesOf(announcements);
  expect(more).toEqual([]);
  expect(identity).toMatchObject({ kinds: ["zigbee"], adapter: "zstack", vendor: "XZG" });
  expect(identity?.evidence.map(({ rule }) => rule)).toEqual(["xzg-znp", "zigbee-gateway-znp", "zigstar-lan-znp", "xzg", "zigstar-lan"]);
});

it("is found by its packets, on every link that it is heard on, until it says goodbye", () => {
  const seen = createSeenServices();
  const text = ["version=1.0", "radio_type=znp", "serial_number=00124B0001020304", "board=UZG-01"];
  const send = (link: string, at: number, ttl?: number): void => {
    for (const service of ["_xzg._tcp", "_zigbee-gateway._tcp", "_zigstar_gw._tcp", "_http._tcp"]) {
      const port = service === "_http._tcp" ? 80 : 6_638;
      const records = announcement({ service, instance: "XZG-ABCD", host: "XZG-ABCD", port, text, ...(ttl === undefined ? {} : { ttl }) });
      seen.hearDns(toResponse(records), { link, family: 4, source: Uint8Array.of(192, 0, 2, 7), at });
    }
  };
  const devices = (at: number) => toNetworkDevices(seen.list(at, 0), wanted);
  send("home", 0);
  send("iot", 1);
  expect(devices(1)).toMatchObject([
    { network: { host: "XZG-ABCD.local", port: 6_638, links: ["home", "iot"], serial: "00124b0001020304" } },
  ]);
  send("home", 5_000, 0);
  expect(devices(6_000)).toMatchObject([{ network: { links: ["iot"] } }]);
  send("iot", 6_000, 0);
  expect(devices(7_000)).toEqual([]);
});

it("says why in words", () => {
  const [identity] = identitiesOf([{ service: "_slzb-06._tcp", instance: "slzb-06", text: { radio_type: "znp" } }]);
  expect(identity?.evidence[0]).toMatchObject({ source: "fingerprint", plugin: "zigbee", rule: "slzb-06-znp", score: 55 });
  expect(identity?.evidence[0]?.detail).toMatch(
    /^service _slzb-06\._tcp, radio_type=znp: is most likely zigbee \(SMLIGHT SLZB-06 family\)/,
  );
});
