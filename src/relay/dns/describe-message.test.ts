import fc from "fast-check";
import { expect, test } from "vitest";
import { messageToWrite } from "../../../test/fixtures/arbitrary-message.ts";
import { packets } from "../../../test/fixtures/mdns-packets.ts";
import { unprintable } from "../../core/printable.ts";
import { describeMessage } from "./describe-message.ts";
import { readMessage } from "./read-message.ts";
import { writeMessage } from "./write-message.ts";

function describe(bytes: Uint8Array): string {
  const message = readMessage(bytes);
  if ("fault" in message) throw new TypeError(message.fault);
  return describeMessage(message);
}

test.each<[packet: string, description: string]>([
  ["query", "query _hap._tcp.local PTR (+2)"],
  ["query with known answers", "query _http._tcp.local PTR (+3 known answers)"],
  ["query with TC", "query _http._tcp.local PTR (+30 known answers) (more follow)"],
  ["more known answers", "query continued: 12 known answers"],
  ["legacy query", "query printer.local A (+1)"],
  ["probe", "probe Wohnzimmer – Küche._airplay._tcp.local ANY (+1)"],
  ["airplay", "response Wohnzimmer – Küche._airplay._tcp.local PTR (+7)"],
  ["goodbye", "goodbye Front Door 2.0._hap._tcp.local PTR (+1)"],
  ["port 0", "response nothing._printer._tcp.local SRV"],
])("%s: %s", (packet, description) => {
  expect(describe(packets[packet]!)).toBe(description);
});

test("one line, printable, of at most 200", () => {
  fc.assert(
    fc.property(messageToWrite, (message) => {
      const description = describe(writeMessage(message));
      expect(description.length).toBeLessThanOrEqual(200);
      expect(description.replaceAll(unprintable, "")).toBe(description);
    }),
  );
  const controls = describe(
    writeMessage({ questions: [{ name: ["\u001b[31m\u202e".repeat(7), "\u0000".repeat(60), "local"], type: 64_000 }] }),
  );
  expect(controls.length).toBeLessThanOrEqual(200);
  expect(controls).toContain("TYPE64000");
});
