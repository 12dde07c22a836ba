/** JSON Schema of what goes in and out of each route. What a schema does not list, Fastify does not send. */
import { count, errors, flag, list, object, text, texts, word } from "./schema-words.ts";

const condition = object({ code: text, severity: word("info", "warning", "error"), text, since: text });
const evidence = object({
  source: word("fingerprint", "kernel", "probe", "override"),
  plugin: text,
  rule: text,
  score: { type: "number" },
  detail: text,
});
const usb = object({ vendorId: text, productId: text, release: text, manufacturer: text, product: text, interfaceNumber: count }, [
  "release",
  "manufacturer",
  "product",
  "interfaceNumber",
]);

const networkOffer = { service: text, instance: text, text: { type: "object", additionalProperties: text } } as const;

const deviceProperties = {
  kinds: texts,
  certainty: word("certain", "likely", "ambiguous", "unknown"),
  alternatives: texts,
  candidates: texts,
  vendor: text,
  model: text,
  adapter: text,
  firmware: text,
  line: object({ baudRate: count, rtscts: flag }),
  mode: word("application", "bootloader"),
  function: word("serial", "spi", "bluetooth", "wifi", "ieee802154", "usb", "network"),
  attachment: word("local", "network"),
  driver: text,
  devicePaths: texts,
  byId: text,
  port: text,
  serial: text,
  usb,
  wifi: object({ phy: text, interfaces: texts, accessPoint: flag }, ["accessPoint"]),
  bluetooth: object({ controller: text, address: text }, ["address"]),
  ieee802154: object({ phy: text, interfaces: texts }),
  platform: object({ compatible: texts, board: text }, ["board"]),
  network: object(
    {
      ...networkOffer,
      host: text,
      port: count,
      addresses: texts,
      others: list(object(networkOffer)),
      links: texts,
      serial: text,
      mac: text,
    },
    ["serial", "mac"],
  ),
  sysPath: text,
  evidence: list(evidence),
} as const;

const optionalOfDevice = [
  "vendor",
  "model",
  "adapter",
  "firmware",
  "line",
  "driver",
  "byId",
  "port",
  "serial",
  "usb",
  "wifi",
  "bluetooth",
  "ieee802154",
  "platform",
  "network",
] as const;

const device = object(deviceProperties, optionalOfDevice);

const radio = object(
  {
    id: text,
    idBasis: word("serial", "port", "path", "name"),
    name: text,
    state: word("present", "absent", "bootloader"),
    ...deviceProperties,
    absentSince: text,
    lease: object({ holder: word("probe", "bridge", "pod", "flash"), owner: text, since: text }),
    firstSeen: text,
    lastSeen: text,
  },
  [...optionalOfDevice, "name", "absentSince", "lease"],
);

const node = object({
  name: text,
  version: text,
  startedAt: text,
  uptimeSeconds: count,
  kernel: text,
  revision: count,
  complete: flag,
  counts: object({ present: count, absent: count, others: count, network: count, kinds: { type: "object", additionalProperties: count } }),
  blindSpots: list(object({ what: text, why: text })),
  cluster: object({ state: word("none", "connecting", "connected", "failing"), server: text }, ["server"]),
  conditions: list(condition),
});

const health = object({ status: word("ok", "degraded", "failing"), ready: flag, waitingFor: texts, conditions: list(condition) });

const historyEntry = object({
  sequence: count,
  at: text,
  type: text,
  radioId: text,
  text,
  details: { type: "object", additionalProperties: text },
});

/** Longer than any sysfs path that names a radio. */
export const longestKey = 1024;
const keyParameter = object({ key: { type: "string", minLength: 1, maxLength: longestKey } });

export const routeSchemas = {
  livez: { response: { 200: object({ status: word("ok") }) } },
  healthz: { response: { 200: health } },
  readyz: { response: { 200: health, 503: health } },
  node: { response: { 200: node, ...errors } },
  radios: { response: { 200: object({ revision: count, complete: flag, radios: list(radio) }), ...errors } },
  radio: { params: keyParameter, response: { 200: radio, ...errors } },
  explain: { params: keyParameter, response: { 200: object({ radios: list(radio), others: list(device) }), ...errors } },
  history: {
    querystring: {
      type: "object",
      additionalProperties: false,
      properties: {
        after: { type: "integer", minimum: 0, default: 0 },
        limit: { type: "integer", minimum: 1, maximum: 1000, default: 100 },
        radio: { type: "string", minLength: 1, maxLength: 63 },
      },
    },
    response: { 200: object({ entries: list(historyEntry), next: count }), ...errors },
  },
} as const;
