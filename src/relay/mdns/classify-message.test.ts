import { expect, test } from "vitest";
import { address, pointer, sampleMessage } from "../../../test/fixtures/dns-packets.ts";
import { classifyMessage } from "./classify-message.ts";

const hap = "_hap._tcp.local";
const lamp = pointer(hap, "lamp._hap._tcp.local");
const gone = { ...lamp, ttl: 0 };
const ask = [hap, "PTR"] as const;

test.each([
  ["response", { answers: [lamp, gone] }, 5353],
  ["response", { additional: [lamp], answers: [] }, 5353],
  ["goodbye", { answers: [gone], additional: [lamp] }, 5353],
  ["query", { asks: [ask] }, 5353],
  ["query", { asks: [ask], answers: [lamp] }, 5353],
  ["continuation", { answers: [lamp], response: false }, 5353],
  ["probe", { asks: [ask], authority: [address("lamp.local", "10.0.0.1")] }, 5353],
  ["legacy-query", { asks: [ask, ask] }, 49152],
] as const)("%s", (kind, sample, port) => {
  expect(classifyMessage(sampleMessage(sample), port)).toBe(kind);
});
