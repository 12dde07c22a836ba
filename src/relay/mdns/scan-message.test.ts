import fc from "fast-check";
import { expect, test } from "vitest";
import { messageToWrite } from "../../../test/fixtures/arbitrary-message.ts";
import { announce, probe, query } from "../../../test/fixtures/mdns-hosts.ts";
import { chromecast, packets } from "../../../test/fixtures/mdns-packets.ts";
import { checkScan } from "../../../test/fuzz/check-scan.ts";
import { createDnsTarget } from "../../../test/fuzz/dns-target.ts";
import { makeCase } from "../../../test/fuzz/fuzz-packet.ts";
import { recordType } from "../dns/dns-message.ts";
import { writeMessage } from "../dns/write-message.ts";
import { encodeHeartbeat } from "../election/heartbeat.ts";
import { scanMessage } from "./scan-message.ts";

test.each([
  ["an announcement", announce()],
  ["a goodbye", announce({ ttl: 0 })],
  ["a question", query("_hap._tcp")],
  ["a question for a host", query("lamp", { type: recordType.A })],
  ["a player's answer", chromecast],
])("%s is plain", (_, packet) => {
  expect(checkScan(packet)).toBe(true);
});

const heartbeat = encodeHeartbeat({
  id: "0123456789abcdef",
  ttl: 4,
  link: "k1",
  token: "0123456789abcdef",
  addresses: [],
  pairs: new Map(),
});
const changed = (at: number, byte: number): Uint8Array => Uint8Array.from(chromecast, (value, index) => (index === at ? byte : value));

test.each([
  ["a probe", probe("lamp", "10.1.0.9")],
  ["a heartbeat", heartbeat],
  ["upper case in a service", announce({ service: "_HAP._tcp" })],
  ["a byte after the message", Uint8Array.of(...chromecast, 0)],
  ["a packet that ends too soon", chromecast.subarray(0, -1)],
  ["a response code", changed(3, 3)],
  ["an opcode", changed(2, 0x88)],
  ["one record more than there is", changed(7, (chromecast[7] ?? 0) + 1)],
  ["nothing", new Uint8Array()],
])("%s is not", (_, packet) => {
  expect(scanMessage(packet)).toBeUndefined();
});

test("QU is found where it stands", () => {
  const packet = writeMessage({ questions: [{ name: ["_hap", "_tcp", "local"], type: recordType.PTR }] });
  packet[packet.length - 2] = 0x80;
  expect(checkScan(packet)).toBe(true);
  expect(scanMessage(packet)).toMatchObject({ unicastCount: 1 });
});

test("packets of all kinds are told of as if they were read", () => {
  for (const packet of Object.values(packets)) expect(() => checkScan(packet)).not.toThrow();
  fc.assert(
    fc.property(messageToWrite, (message) => void checkScan(writeMessage(message))),
    { numRuns: 2_000 },
  );
});

test("broken packets are told of as if they were read", () => {
  const target = createDnsTarget();
  const plain = [announce(), query("_hap._tcp"), announce({ ttl: 0 }), ...target.corpus];
  let scanned = 0;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      if (checkScan(makeCase(target, plain, seed).packet)) scanned += 1;
    }),
    { numRuns: 5_000 },
  );
  expect(scanned).toBeGreaterThan(200);
});
