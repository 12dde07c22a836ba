import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeAttribute, encodeMessage, type NetlinkMessage, parseMessages } from "./netlink.ts";
import { encodeAddressesRequest, encodeLinksRequest, toNetworkLinks } from "./parse-links.ts";

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
const u16 = (value: number): Uint8Array => new Uint8Array(Uint16Array.of(value).buffer);
const u32 = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
const text = (value: string): Uint8Array => new TextEncoder().encode(`${value}\0`);

const messages = (type: number, ...parts: readonly Uint8Array[]): readonly NetlinkMessage[] =>
  parseMessages(encodeMessage({ type, flags: 2, sequence: 1, payload: Buffer.concat(parts) }));

/** IFF_UP and IFF_LOWER_UP. */
const upFlags = 0x10001;
const vlanInfo = (kind: string): Uint8Array =>
  encodeAttribute(18, Buffer.concat([encodeAttribute(1, text(kind)), encodeAttribute(2 | 0x8000, encodeAttribute(1, u16(30)))]));
interface LinkParts {
  readonly index?: number;
  readonly flags?: number;
  readonly rest?: Uint8Array;
}
const link = ({ index = 7, flags = upFlags, rest = new Uint8Array() }: LinkParts): readonly NetlinkMessage[] =>
  messages(16, u32(0, index, flags, 0), encodeAttribute(3, text("eth0.30")), encodeAttribute(4, u32(1500)), rest);
const address = (flags: number): readonly NetlinkMessage[] =>
  messages(
    20,
    Uint8Array.of(10, 64, flags & 0xff, 0),
    u32(7),
    encodeAttribute(1, bytes("fe800000000000000000000000000001")),
    encodeAttribute(8, u32(flags)),
  );

test("requests are laid out as the kernel's headers say", () => {
  expect(encodeLinksRequest(1)).toEqual(
    bytes("28000000 1200 0103 01000000 00000000  00000000 00000000 00000000 00000000  0800 1d00 08000000"),
  );
  expect(encodeAddressesRequest(2)).toEqual(bytes("18000000 1600 0103 02000000 00000000  00000000 00000000"));
});

test("a VLAN has its id, a bridge with an id of its own has none", () => {
  expect(toNetworkLinks(link({ rest: vlanInfo("vlan") }), [])).toEqual([
    { name: "eth0.30", index: 7, mtu: 1500, up: true, loopback: false, vlan: 30, addresses: [] },
  ]);
  expect(toNetworkLinks(link({ rest: vlanInfo("macvlan") }), [])[0]).not.toHaveProperty("vlan");
});

test.each([
  [0x1, false],
  [0x10000, false],
  [0x10001, true],
  [0x11043, true],
])("flags %i: up %s", (flags, up) => {
  expect(toNetworkLinks(link({ flags }), [])[0]?.up).toBe(up);
});

test.each([
  ["usable", 0x80, 1],
  ["tentative", 0xc0, 0],
  ["tentative, and used meanwhile", 0x44, 1],
  ["a duplicate of another host's", 0x88, 0],
  ["made by the kernel for privacy", 0x801, 1],
])("an address that is %s", (_, flags, count) => {
  expect(toNetworkLinks(link({}), address(flags))[0]?.addresses.map((each) => each.text)).toEqual(count === 0 ? [] : ["fe80::1"]);
});

test("an IPv4 address is the near end's, and belongs to its interface", () => {
  const near = messages(
    20,
    Uint8Array.of(2, 24, 0x80, 0),
    u32(7),
    encodeAttribute(1, bytes("0a000002")),
    encodeAttribute(2, bytes("0a000001")),
  );
  expect(toNetworkLinks(link({}), near)[0]?.addresses).toEqual([
    { family: 4, bytes: bytes("0a000001"), prefixLength: 24, text: "10.0.0.1" },
  ]);
  expect(toNetworkLinks(link({ index: 8 }), near)[0]?.addresses).toEqual([]);
});

test("whatever comes, what is given is whole and nothing is thrown", () => {
  const garbage = fc.uint8Array({ maxLength: 200 });
  const whole = [link({ rest: vlanInfo("vlan") }), address(0)].map(([message]) => message?.payload ?? new Uint8Array());
  const changes = fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 8 });
  const mutated = fc.tuple(fc.constantFrom(...whole), changes, fc.nat(100)).map(([original, changed, end]) => {
    const copy = Uint8Array.from(original);
    for (const [at, value] of changed) if (at < copy.length) copy[at] = value;
    return copy.subarray(0, end);
  });
  const message = fc.record({
    type: fc.constantFrom(16, 20, 3),
    flags: fc.nat(0xffff),
    sequence: fc.constant(1),
    payload: fc.oneof(garbage, mutated),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.array(message, { maxLength: 4 }), (links, addresses) => {
      for (const each of toNetworkLinks(links, addresses)) {
        expect(each.name).not.toBe("");
        expect(each.index).toBeGreaterThan(0);
        for (const { family, bytes: own, prefixLength } of each.addresses) {
          expect(own).toHaveLength(family === 4 ? 4 : 16);
          expect(prefixLength).toBeLessThanOrEqual(own.length * 8);
        }
      }
    }),
  );
});
