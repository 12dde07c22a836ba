import fc from "fast-check";
import { expect, test } from "vitest";
import type { DnsMessage } from "../dns/dns-message.ts";
import { readMessage } from "../dns/read-message.ts";
import {
  type Heartbeat,
  type PairClaims,
  decodeHeartbeat,
  encodeHeartbeat,
  isHeartbeat,
  longestHeartbeat,
  mostAddresses,
  mostLinks,
} from "./heartbeat.ts";

function read(packet: Uint8Array): DnsMessage {
  const message = readMessage(packet);
  if ("fault" in message) return expect.fail(message.fault);
  return message;
}

const hex = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const key = fc.integer({ min: 1, max: 36 ** 6 - 1 }).map((number) => `k${number.toString(36)}`);
const claim = fc.constantFrom("standby", "active", "lease");
const claims: fc.Arbitrary<PairClaims> = fc.record({ 4: claim, 6: claim }, { requiredKeys: [] });
const heartbeats: fc.Arbitrary<Heartbeat> = fc.record({
  id: hex,
  ttl: fc.integer({ min: 0, max: 30 }),
  link: key,
  token: hex,
  addresses: fc.array(
    fc.oneof(
      fc.ipV4(),
      fc.ipV6().filter((text) => !text.includes("::ffff:")),
    ),
    { maxLength: mostAddresses },
  ),
  pairs: fc.array(fc.tuple(key, claims), { maxLength: mostLinks - 1 }).map((entries) => new Map(entries)),
});
const example: Heartbeat = {
  id: "00112233445566ff",
  ttl: 3,
  link: "k1",
  token: "ffeeddccbbaa0099",
  addresses: ["192.0.2.7", "fe80::1"],
  pairs: new Map<string, PairClaims>([
    ["k2", { 4: "active", 6: "standby" }],
    ["k3", { 6: "lease" }],
  ]),
};

test("is one TXT record of a service of its own, without the cache-flush bit", () => {
  const message = read(encodeHeartbeat(example));
  expect(message).toMatchObject({ id: 0, response: true, questions: [], trailing: false });
  expect(message.records).toMatchObject([{ section: "answer", type: 16, class: 1, flush: false, ttl: 3 }]);
  expect(message.records[0]?.name.key).toBe("00112233445566ff._aerial-relay._udp.local");
  expect(Buffer.from(message.bytes).toString("latin1")).toContain("k2=4a6s");
});

test("what is written is read", () => {
  fc.assert(
    fc.property(heartbeats, (heartbeat) => {
      const message = read(encodeHeartbeat(heartbeat));
      expect(isHeartbeat(message)).toBe(true);
      expect(decodeHeartbeat(message)).toEqual(heartbeat);
    }),
  );
});

test("however much there is to say, it fits the least packet of IPv6", () => {
  const pairs = new Map(Array.from({ length: 300 }, (_, index): [string, PairClaims] => [`kzzz${index}`, { 4: "lease", 6: "lease" }]));
  const addresses = Array.from({ length: 20 }, () => "fd00:1111:2222:3333:4444:5555:6666:7777");
  const packet = encodeHeartbeat({ ...example, addresses, pairs });
  expect(packet.length).toBeLessThanOrEqual(longestHeartbeat);
  expect(decodeHeartbeat(read(packet))?.pairs.size).toBe(mostLinks - 1);
});

/** The example with other strings. */
function packetOf(strings: readonly string[], { flags = 0x8400, type = 16, kind = 1, ttl = 3, label = example.id } = {}): Uint8Array {
  const counted = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text, "latin1")]);
  const data = Buffer.concat(strings.map(counted));
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(kind, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  const header = Buffer.from([0, 0, flags >> 8, flags & 255, 0, 0, 0, 1, 0, 0, 0, 0]);
  return Buffer.concat([header, ...[label, "_aerial-relay", "_udp", "local"].map(counted), Buffer.of(0), fixed, data]);
}
const said = ["v=1", "link=k1", `token=${example.token}`, "from=192.0.2.7"];

test("words it does not know are passed over, so that a later aerial can say more", () => {
  expect(decodeHeartbeat(read(packetOf([...said, "colour=green", "k2=4a6sX", "k3=6l"])))?.pairs).toEqual(
    new Map([
      ["k2", {}],
      ["k3", { 6: "lease" }],
    ]),
  );
});

test("nobody is believed for longer than thirty seconds", () => {
  expect(decodeHeartbeat(read(packetOf(said, { ttl: 4_000_000 })))?.ttl).toBe(30);
});

test.each([
  ["another version", packetOf(["v=2", ...said.slice(1)])],
  ["no link", packetOf(said.filter((text) => !text.startsWith("link")))],
  ["no token", packetOf(said.filter((text) => !text.startsWith("token")))],
  ["a query", packetOf(said, { flags: 0 })],
  ["another type", packetOf(said, { type: 250 })],
  ["cache-flush", packetOf(said, { kind: 0x8001 })],
  ["a longer id", packetOf(said, { label: `${example.id}0` })],
  ["an id that is none", packetOf(said, { label: "somebody-s-phone" })],
  ["too many addresses", packetOf([...said, ...Array.from({ length: mostAddresses }, (_, index) => `from=192.0.2.${index}`)])],
  ["too many links", packetOf([...said, ...Array.from({ length: mostLinks }, (_, index) => `k${index}=4a`)])],
  ["too many words", packetOf([...said, ...Array.from({ length: 100 }, (_, index) => `word${index}=`)])],
])("%s is no heartbeat, and is not carried all the same", (_what, packet) => {
  const message = read(packet);
  expect(decodeHeartbeat(message)).toBeUndefined();
  expect(isHeartbeat(message)).toBe(true);
});

test("other messages are none of ours", () => {
  const packet = Buffer.from(encodeHeartbeat(example));
  const other = Buffer.from(packet.toString("latin1").replace("_aerial-relay", "_aerial-decoy"), "latin1");
  expect(isHeartbeat(read(other))).toBe(false);
  expect(decodeHeartbeat(read(other))).toBeUndefined();
});

test("no bytes make it throw, and what it takes is within bounds", () => {
  const strings = fc.array(fc.oneof(fc.string({ maxLength: 60 }), fc.constantFrom(...said, "k2=4a6s", "k2=", "=", "from=")), {
    maxLength: 90,
  });
  fc.assert(
    fc.property(strings, fc.array(fc.tuple(fc.nat(1_300), fc.nat(255)), { maxLength: 4 }), (words, changes) => {
      const packet = packetOf(words.map((text) => Buffer.from(text).toString("latin1").slice(0, 255)));
      for (const [at, value] of changes) packet[at % packet.length] = value;
      const message = readMessage(packet);
      const heartbeat = "fault" in message ? undefined : decodeHeartbeat(message);
      if (heartbeat === undefined) return;
      expect(heartbeat.pairs.size).toBeLessThan(mostLinks);
      expect(heartbeat.addresses.length).toBeLessThanOrEqual(mostAddresses);
      expect(heartbeat.ttl).toBeLessThanOrEqual(30);
    }),
  );
});
