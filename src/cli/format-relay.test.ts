import fc from "fast-check";
import { expect, test } from "vitest";
import type { RelayStatus, RelayTrace, SeenService } from "../core/relay.ts";
import { formatRelayStatus, formatTraceLine, serviceColumns, sortServices, wideServiceColumns } from "./format-relay.ts";
import { toQuery } from "./query.ts";
import { formatTable } from "./table.ts";
import { createTerminal } from "./terminal.ts";

const plain = createTerminal({ stdout: { write: () => true }, stderr: { write: () => true }, environment: {} });

const at = "2026-01-02T03:04:05.678Z";

const status: RelayStatus = {
  id: "node-1",
  protocols: ["mdns", "ssdp"],
  links: [
    {
      name: "home",
      interface: "eth0.10",
      vlan: 10,
      mtu: 1500,
      addresses: ["192.0.2.1", "fe80::1"],
      state: "up",
      heard: { relayed: 70, trimmed: 2, own: 3, echo: 12, rule: 0 },
      sent: 5,
      overrun: 0,
    },
    { name: "iot", addresses: [], state: "absent", why: "no interface eth0.40", heard: {}, sent: 0, overrun: 0 },
  ],
  pairs: [{ links: ["home", "iot"], role: "active", why: "nobody else relays", since: at }],
  rules: [{ text: "deny ask,offer _matter._tcp from any to any (default: matter)", hits: 3 }],
  searches: 1,
  services: 0,
};

const service: SeenService = {
  protocol: "mdns",
  service: "_hap._tcp",
  instance: "Lamp",
  host: "lamp",
  port: 80,
  addresses: ["192.0.2.7", "fd00::7"],
  text: { md: "Lamp 1", id: "x" },
  link: "iot",
  lastSeen: at,
  expires: at,
  relayedTo: ["home"],
};

const packet: RelayTrace = {
  at,
  protocol: "mdns",
  family: 4,
  from: "home",
  source: "192.0.2.5",
  bytes: 40,
  what: "query _hap._tcp.local PTR",
  to: "iot",
  verdict: "relayed",
};

test("the status says how links and pairs stand, and what was dropped why", () => {
  expect(formatRelayStatus(status, plain)).toEqual([
    "relay node-1: mdns, ssdp; 0 services known, 1 search under way",
    "",
    "LINK  INTERFACE  VLAN  STATE   HEARD  RELAYED  SENT  DROPPED         OVERRUN  ADDRESSES",
    "home  eth0.10    10    up      87     72       5     echo 12, own 3  0        192.0.2.1 fe80::1",
    "iot   -          -     absent  0      0        0     -               0        -",
    "iot: no interface eth0.40",
    "",
    "BETWEEN       ROLE    SINCE                     WHY",
    "home and iot  active  2026-01-02T03:04:05.678Z  nobody else relays",
    "",
    "HITS  RULE",
    "3     deny ask,offer _matter._tcp from any to any (default: matter)",
  ]);
});

test("a relay without pairs and rules shows neither", () => {
  expect(formatRelayStatus({ ...status, pairs: [], rules: [], links: [] }, plain)).toHaveLength(3);
});

test("services are a line each", () => {
  const { host: _host, port: _port, ...bare } = { ...service, instance: "Bare", addresses: [] };
  const shown = sortServices([service, { ...bare, service: "_airplay._tcp" }, { ...service, instance: "A", addresses: ["fd00::7"] }]);
  expect(formatTable(serviceColumns(Date.parse(at) + 61_000), shown, plain)).toEqual([
    "SERVICE        INSTANCE  HOST  ADDRESS       LINK  AGE  RELAYED TO",
    "_airplay._tcp  Bare      -     -             iot   1m   home",
    "_hap._tcp      A         lamp  [fd00::7]:80  iot   1m   home",
    "_hap._tcp      Lamp      lamp  192.0.2.7:80  iot   1m   home",
  ]);
  expect(formatTable(wideServiceColumns(Date.parse(at)), [service], plain)[1]).toBe(
    "mdns      _hap._tcp  Lamp      lamp  192.0.2.7:80  iot   0s   home        2026-01-02T03:04:05.678Z  192.0.2.7 fd00::7  md=Lamp 1 id=x",
  );
});

test.each([
  [-5_000, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [3_599_999, "59m"],
  [86_399_999, "23h"],
  [86_400_000 * 3, "3d"],
])("heard %i ms ago is %s", (age, shown) => {
  const column = serviceColumns(Date.parse(at) + age).find(({ title }) => title === "AGE");
  expect(column?.cell(service)).toBe(shown);
});

test("a packet is a line", () => {
  expect(formatTraceLine({ type: "packet", ...packet }, plain)).toBe(
    "03:04:05.678 relayed     home > iot  mdns 192.0.2.5  query _hap._tcp.local PTR (40 B)",
  );
  const { to: _to, ...nowhere } = packet;
  expect(formatTraceLine({ type: "packet", ...nowhere, family: 6, source: "fe80::5", verdict: "echo", why: "came round" }, plain)).toBe(
    "03:04:05.678 echo        home  mdns/v6 fe80::5  query _hap._tcp.local PTR (40 B): came round",
  );
  expect(formatTraceLine({ type: "lost", lines: 7 }, plain)).toBe("7 packets are not shown: this was too slow for them");
});

test("whatever hosts call themselves, it is only text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const hostile: SeenService = {
        ...service,
        service: text,
        instance: text,
        host: text,
        link: text,
        text: { [text]: text },
        lastSeen: text,
      };
      const lines = [
        ...formatTable(wideServiceColumns(0), [hostile], plain),
        formatTraceLine({ type: "packet", ...packet, what: text, source: text, from: text, why: text, at: text }, plain),
        ...formatRelayStatus(
          {
            ...status,
            id: text,
            links: [{ name: text, why: text, interface: text, addresses: [text], state: "down", heard: {}, sent: 0, overrun: 1 }],
            pairs: [{ links: [text, text], role: "standby", why: text, since: text }],
            rules: [{ text, hits: 1 }],
          },
          plain,
        ),
      ];
      expect(lines.filter((line) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(line))).toEqual([]);
    }),
  );
});

test("a query holds what was asked for", () => {
  expect(toQuery({ link: "a&b=c", service: undefined, verdict: "rule" })).toBe("?link=a%26b%3Dc&verdict=rule");
  expect(toQuery({ link: undefined })).toBe("");
});
