/** What a plugin must keep to beyond its shape. Run for every built-in, and by `npm run -s plugin:test -- FILE` for any other. */
import type { Device, NetworkOffer, UsbFacts } from "../core/device.ts";
import { toDeviceView } from "../identify/device-view.ts";
import { claimsOf } from "../identify/match-fingerprint.ts";
import type { Fingerprint, RadioPlugin } from "../sdk/plugin.ts";
import { checkProblems } from "./check-conformance.ts";
import { slowestInput } from "./expression-time.ts";
import { isPlugin, pluginProblems } from "./plugin-shape.ts";

/** Strings that bridge chips and development chips have from their makers: no radio can be told from them. */
const makersOwnStrings: readonly (readonly [vendorId: string, productId: string, manufacturer?: string | undefined, product?: string])[] = [
  ["10c4", "ea60"],
  ["10c4", "ea60", "Silicon Labs", "CP2102 USB to UART Bridge Controller"],
  ["10c4", "ea60", "Silicon Labs", "CP2102N USB to UART Bridge Controller"],
  ["10c4", "ea70", "Silicon Labs", "CP2105 Dual USB to UART Bridge Controller"],
  ["1a86", "7523"],
  ["1a86", "7523", undefined, "USB Serial"],
  ["1a86", "55d4", undefined, "USB Single Serial"],
  ["0403", "6001", "FTDI", "FT232R USB UART"],
  ["0403", "6015", "FTDI", "FT230X Basic UART"],
  ["067b", "2303", "Prolific Technology Inc.", "USB-Serial Controller"],
  ["0483", "5740", "STMicroelectronics", "STM32 Virtual ComPort"],
  ["303a", "1001", "Espressif", "USB JTAG/serial debug unit"],
  ["fffe", "0001"],
  ["fffe", "0001", "Nobody", "Thing 3000"],
];

/** Everything wrong with a plugin, in words its author can act on; empty when nothing is. Never throws. */
export function runPluginConformance(value: unknown): readonly string[] {
  if (!isPlugin(value)) return pluginProblems(value);
  return [
    ...value.fingerprints.flatMap(expressionProblems),
    ...greedyRows(value),
    ...greedyNetworkRows(value),
    ...describeProblems(value),
    ...checkProblems(value),
  ];
}

function expressionProblems({ id, match }: Fingerprint): readonly string[] {
  const problems: string[] = [];
  for (const [condition, expression] of Object.entries(match)) {
    if (!(expression instanceof RegExp)) continue;
    const where = `${id}: match.${condition}`;
    if (condition !== "node" && !expression.flags.includes("i")) problems.push(`${where} should ignore case: add the flag i`);
    if (/[gy]/.test(expression.flags)) problems.push(`${where} has the flag g or y, which means nothing here`);
    const slow = slowestInput(expression);
    if (slow !== undefined) problems.push(`${where} takes ${slow.milliseconds.toFixed(0)} ms on ${slow.length} characters: make it linear`);
  }
  return problems;
}

/** Rows that call a radio what proves nothing. */
function greedyRows(plugin: RadioPlugin): readonly string[] {
  const problems = new Set<string>();
  for (const facts of makersOwnStrings) {
    for (const device of devicesOf(facts)) {
      for (const { answer } of claimsOf(plugin, toDeviceView(device))) {
        if (answer.says === "is")
          problems.add(`${answer.id}: would call ${facts.slice(0, 2).join(":")} "${facts.slice(2).join(" ")}" a radio`);
      }
    }
  }
  return [...problems];
}

/** What is everywhere on networks, and no radio that anybody could use. */
const makersOwnOffers: readonly NetworkOffer[] = [
  { service: "_http._tcp", instance: "XZG", text: { radio_type: "znp" } },
  {
    service: "_esphomelib._tcp",
    instance: "kitchen-lamp",
    text: { mac: "aabbccddeeff", platform: "ESP32", board: "esp32dev", network: "wifi" },
  },
  { service: "_hap._tcp", instance: "Bridge", text: { md: "Bridge", ci: "2" } },
  { service: "_matter._tcp", instance: "2906C908D115D362-8FC7772401CD0696", text: { sii: "5000" } },
  { service: "_meshcop._udp", instance: "Living Room", text: { rv: "1", vn: "Apple Inc.", nn: "MyHome" } },
  { service: "_meshcop._udp", instance: "Google-Nest-Hub", text: { rv: "1", vn: "Google Inc.", nn: "NEST-PAN" } },
  { service: "_trel._udp", instance: "0011223344556677", text: {} },
  { service: "_zwave-js-server._tcp", instance: "3221225474", text: { homeid: "3221225474" } },
];

function greedyNetworkRows(plugin: RadioPlugin): readonly string[] {
  return makersOwnOffers.flatMap((offer) => {
    const network = { ...offer, host: "thing.local", port: 1, addresses: [], others: [], links: ["home"] };
    const claims = claimsOf(plugin, toDeviceView({ sysPath: "network/thing.local:1", function: "network", nodes: [], network }));
    return claims.flatMap(({ answer }) =>
      answer.says === "is" ? [`${answer.id}: would call ${offer.service} "${offer.instance}" a radio`] : [],
    );
  });
}

function devicesOf([vendorId, productId, manufacturer, product]: (typeof makersOwnStrings)[number]): readonly Device[] {
  const usb: UsbFacts = {
    vendorId,
    productId,
    ...(manufacturer === undefined ? {} : { manufacturer }),
    ...(product === undefined ? {} : { product }),
    serial: "0001",
    port: "1-1",
    busNumber: 1,
    deviceNumber: 2,
    interfaceNumber: 0,
    interfaces: [],
  };
  const byId = `usb-${manufacturer ?? vendorId}_${product ?? productId}_0001-if00-port0`.replaceAll(" ", "_");
  return [
    { sysPath: "a", function: "serial", nodes: [], usb, byId },
    { sysPath: "b", function: "usb", nodes: [], usb },
    { sysPath: "c", function: "serial", nodes: [], byId },
  ];
}

function describeProblems(plugin: RadioPlugin): readonly string[] {
  if (plugin.describe === undefined) return [];
  try {
    const identity = { state: "unknown", mode: "application", evidence: [] } as const;
    plugin.describe({
      id: "radio",
      idBasis: "port",
      device: { sysPath: "a", function: "serial", nodes: [] },
      identity,
      presence: "present",
      mode: "application",
      firstSeen: "2000-01-01T00:00:00.000Z",
      lastSeen: "2000-01-01T00:00:00.000Z",
    });
    return [];
  } catch (error) {
    return [`describe throws on a radio it does not know: ${String(error).slice(0, 200)}`];
  }
}
