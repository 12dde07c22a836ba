/** JSON Schema of the relay's routes. */
import type { RelayProtocol, RelayVerdict } from "../core/relay.ts";
import { count, errors, flag, list, object, text, texts, word } from "./schema-words.ts";

// As records, so that none of the words can be forgotten.
const protocols = Object.keys({ mdns: 0, ssdp: 0, wsd: 0, sonos: 0 } satisfies Record<RelayProtocol, 0>);
const verdicts = Object.keys({
  relayed: 0,
  trimmed: 0,
  own: 0,
  "off-link": 0,
  "wrong-port": 0,
  malformed: 0,
  "too-large": 0,
  echo: 0,
  rate: 0,
  rule: 0,
  scope: 0,
  "multi-homed": 0,
  standby: 0,
  nobody: 0,
  "send-failed": 0,
} satisfies Record<RelayVerdict, 0>);

const counts = { type: "object", additionalProperties: count } as const;
const linkPair = { type: "array", items: text, minItems: 2, maxItems: 2 } as const;

const link = object(
  {
    name: text,
    interface: text,
    vlan: count,
    mtu: count,
    addresses: texts,
    state: word("up", "down", "absent", "failed"),
    why: text,
    heard: counts,
    sent: count,
    overrun: count,
  },
  ["interface", "vlan", "mtu", "why"],
);

const status = object({
  id: text,
  protocols: list(word(...protocols)),
  links: list(link),
  pairs: list(object({ links: linkPair, family: { enum: [4, 6] }, role: word("active", "standby"), why: text, since: text }, ["family"])),
  rules: list(object({ text, hits: count })),
  searches: count,
  services: count,
});

const service = object(
  {
    protocol: word(...protocols),
    service: text,
    instance: text,
    host: text,
    port: count,
    addresses: texts,
    text: { type: "object", additionalProperties: text },
    unresolved: flag,
    link: text,
    lastSeen: text,
    expires: text,
    relayedTo: texts,
  },
  ["host", "port", "unresolved"],
);

/** A word somebody types to find something by. */
const searched = { type: "string", minLength: 1, maxLength: 256 } as const;

function query<Properties extends Record<string, object>>(properties: Properties) {
  return { type: "object", additionalProperties: false, properties } as const;
}

export const relaySchemas = {
  status: { response: { 200: status, ...errors } },
  services: { querystring: query({ service: searched, link: searched }), response: { 200: list(service), ...errors } },
  trace: { querystring: query({ link: searched, service: searched, verdict: word(...verdicts) }) },
} as const;
