import { endianness } from "node:os";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeAttribute, encodeMessage, parseAttributes, parseMessages } from "./netlink.ts";
import { encodeFamilyRequest, encodeWiphyRequest, toFamilyId, toPhyModes } from "./nl80211.ts";

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(/\s/g, ""), "hex");

// Byte sequences are those of the little-endian machines that aerial runs on.
test("this machine is little-endian", () => {
  expect(endianness()).toBe("LE");
});

test("requests are laid out as the kernel's headers say", () => {
  expect(Uint8Array.from(encodeFamilyRequest(1))).toEqual(
    Uint8Array.from(bytes("20000000 1000 0100 01000000 00000000  03010000  0c00 0200 6e6c383032313100")),
  );
  expect(Uint8Array.from(encodeWiphyRequest(0x1d, 2))).toEqual(
    Uint8Array.from(bytes("18000000 1d00 0103 02000000 00000000  01000000  0400 ae00")),
  );
});

test("the controller's answer gives the family", () => {
  const answer = bytes(`
    28000000 1000 0000 01000000 d2040000  01020000
    0c00 0200 6e6c383032313100
    0600 0100 1d00 0000`);
  expect(parseMessages(answer).map(toFamilyId)).toEqual([0x1d]);
});

const wiphy = (index: number, modes: readonly number[]): Uint8Array => {
  const number = new Uint8Array(new Uint32Array([index]).buffer);
  const supported = modes.flatMap((mode) => [...encodeAttribute(mode, new Uint8Array())]);
  const attributes = [
    ...encodeAttribute(1, number),
    ...encodeAttribute(2, Buffer.from(`phy${index}\0`)),
    // The kernel marks nests with NLA_F_NESTED or does not, by version.
    ...encodeAttribute(32 | 0x8000, Uint8Array.from(supported)),
  ];
  return encodeMessage({ type: 0x1d, flags: 2, sequence: 2, payload: Uint8Array.of(3, 1, 0, 0, ...attributes) });
};

test("a phy that lists access-point mode is told from one that does not", () => {
  const dump = Buffer.concat([wiphy(0, [1, 2, 3, 6]), wiphy(1, [2])]);
  expect(parseMessages(dump).map((message) => toPhyModes(message, 0x1d))).toEqual([
    { index: 0, accessPoint: true },
    { index: 1, accessPoint: false },
  ]);
});

test("other parts of a dump say nothing", () => {
  const other = encodeMessage({
    type: 0x1d,
    flags: 2,
    sequence: 2,
    payload: Uint8Array.of(3, 1, 0, 0, ...encodeAttribute(1, bytes("05000000"))),
  });
  expect(parseMessages(other).map((message) => toPhyModes(message, 0x1d))).toEqual([undefined]);
  expect(parseMessages(wiphy(0, [3])).map((message) => toPhyModes(message, 0x1e))).toEqual([undefined]);
});

test("what was encoded is parsed", () => {
  const attribute = fc.record({ type: fc.integer({ min: 0, max: 0x3fff }), value: fc.uint8Array({ maxLength: 40 }) });
  fc.assert(
    fc.property(fc.array(attribute, { maxLength: 8 }), fc.integer({ min: 0, max: 0xffff }), (attributes, type) => {
      const payload = Uint8Array.from(attributes.flatMap(({ type, value }) => [...encodeAttribute(type, value)]));
      const [message, ...rest] = parseMessages(encodeMessage({ type, flags: 0, sequence: 7, payload }));
      expect(rest).toEqual([]);
      expect(message?.type).toBe(type);
      expect(parseAttributes(message?.payload ?? new Uint8Array())).toEqual(attributes);
    }),
  );
});

test("no bytes make a parser throw, loop or read outside", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const mixed = Buffer.concat([wiphy(0, [3]), noise]);
      for (const input of [noise, mixed]) {
        for (const message of parseMessages(input)) {
          toFamilyId(message);
          toPhyModes(message, message.type);
          expect(message.payload.length).toBeLessThanOrEqual(input.length - 16);
        }
        expect(parseAttributes(input).length).toBeLessThanOrEqual(input.length / 4);
      }
      expect(parseMessages(mixed).length).toBeGreaterThanOrEqual(1);
    }),
  );
});
