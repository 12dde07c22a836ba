import { decode } from "dns-packet";
import fc from "fast-check";
import { expect, test } from "vitest";
import { messageToWrite } from "../../../test/fixtures/arbitrary-message.ts";
import { chromecast, homekit, homekitWritten, packets } from "../../../test/fixtures/mdns-packets.ts";
import type { DnsMessage } from "./dns-message.ts";
import { toName } from "./dns-name.ts";
import { readMessage } from "./read-message.ts";
import { writeMessage } from "./write-message.ts";

function read(bytes: Uint8Array): DnsMessage {
  const message = readMessage(bytes);
  if ("fault" in message) throw new TypeError(message.fault);
  return message;
}

const fromLatin1 = (text: string): string => Buffer.from(text, "latin1").toString("utf8");
const toText = (labels: readonly string[]): string => fromLatin1(labels.join(".") || ".");

test.each(Object.keys(packets))("%s is read as dns-packet reads it", (name) => {
  const bytes = packets[name]!;
  const message = read(bytes);
  const other = decode(Buffer.from(bytes));
  expect(message.questions.map((question) => toText(question.name.labels))).toEqual(
    (other.questions ?? []).map((question) => question.name),
  );
  const others = [...(other.answers ?? []), ...(other.authorities ?? []), ...(other.additionals ?? [])];
  expect(message.records.map((record) => toText(record.name.labels))).toEqual(others.map((record) => record.name));
  expect(message.response).toBe(other.type === "response");
  expect(message.bytes).toBe(bytes);
});

test("a record's fields are read", () => {
  const message = read(chromecast);
  expect(message).toMatchObject({ id: 0, response: true, truncated: false, trailing: false, emptyTexts: [], unchecked: [] });
  expect(message.records.map(({ section, type, flush, ttl, target }) => ({ section, type, flush, ttl, target: target?.key }))).toEqual([
    { section: "answer", type: 12, flush: false, ttl: 120, target: "chromecast-0123._googlecast._tcp.local" },
    { section: "additional", type: 16, flush: true, ttl: 4500, target: undefined },
    { section: "additional", type: 33, flush: true, ttl: 120, target: "fuchsia-0123.local" },
    { section: "additional", type: 1, flush: true, ttl: 120, target: undefined },
  ]);
});

test("what is written is as short as it can be", () => {
  expect(homekitWritten).toEqual(homekit);
});

test("names outlive the packet they were read from", () => {
  const bytes = Buffer.from(homekit);
  const message = read(bytes);
  bytes.fill(0xff);
  expect(message.records[2]!.name.labels).toEqual(["Front Door 2.0", "_hap", "_tcp", "local"]);
  expect(message.records[2]!.name.key).toBe(String.raw`front door 2\.0._hap._tcp.local`);
});

test("only A to Z are folded: UTF-8 stays whole", () => {
  const { name } = read(
    writeMessage({ response: true, answers: [{ name: ["KÜCHE\\", "LOCAL"], type: 1, ttl: 1, data: [new Uint8Array(4)] }] }),
  ).records[0]!;
  expect(fromLatin1(name.key)).toBe(String.raw`kÜche\\.local`);
});

test("bytes after the message are none of it", () => {
  const message = read(Buffer.concat([homekit, Buffer.from("junk")]));
  expect(message.trailing).toBe(true);
  expect(message.bytes.length).toBe(homekit.length);
});

/** A response of these records, of which each is the name, type and data given; pointers count from the message's start. */
function response(
  ...records: readonly { name?: readonly number[]; type: number; class?: number; data: readonly number[]; length?: number }[]
): Buffer {
  const header = Buffer.from([0, 0, 0x84, 0, 0, 0, records.length >>> 8, records.length, 0, 0, 0, 0]);
  return Buffer.concat([
    header,
    ...records.map(({ name = local, type, class: dnsClass = 1, data, length = data.length }) => {
      const fixed = Buffer.alloc(10);
      fixed.writeUInt16BE(type, 0);
      fixed.writeUInt16BE(dnsClass, 2);
      fixed.writeUInt32BE(120, 4);
      fixed.writeUInt16BE(length, 8);
      return Buffer.concat([Buffer.from(name), fixed, Buffer.from(data)]);
    }),
  ]);
}

const local = [5, 0x6c, 0x6f, 0x63, 0x61, 0x6c, 0];
const address = [192, 0, 2, 1];
const pointer = (to: number): number[] => [0xc0 | (to >>> 8), to & 0xff];
/** So many pointers, each to the one before it, the first of them to `first`, which is 3 bytes before. */
const chain = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => pointer(index === 0 ? first : first + 3 + 2 * (index - 1))).flat();
const withFlags = (high: number, low: number): Buffer => {
  const bytes = Buffer.from(chromecast);
  bytes.set([high, low], 2);
  return bytes;
};
const withCount = (offset: number, count: number): Buffer => {
  const bytes = Buffer.from(chromecast);
  bytes.writeUInt16BE(count, offset);
  return bytes;
};
const long = Array.from({ length: 4 }, () => [63, ...Buffer.alloc(63, 0x61)]).flat();

test.each<[why: string, packet: Buffer, fault: string]>([
  ["an empty packet", Buffer.alloc(0), "shorter than a header"],
  ["11 bytes", Buffer.alloc(11), "shorter than a header"],
  ["a header alone", Buffer.alloc(12), "says nothing"],
  ["a notify", withFlags(0xa4, 0), "an opcode"],
  ["a refusal", withFlags(0x84, 5), "a response code"],
  ["65535 answers", withCount(6, 0xffff), "counts do not fit"],
  ["an answer too many", withCount(6, 2), "a name goes past the end"],
  ["a truncated packet", Buffer.from(chromecast.subarray(0, -1)), "a record goes past the end"],
  ["a pointer to itself", response({ name: pointer(12), type: 1, data: address }), "a pointer does not lead back"],
  ["a pointer ahead", response({ name: pointer(40), type: 1, data: address }), "a pointer does not lead back"],
  ["a pointer into the header", response({ name: pointer(4), type: 1, data: address }), "a pointer does not lead back"],
  [
    "a pointer to a pointer to itself",
    response({ type: 65_280, data: [...pointer(31), ...pointer(29)] }, { name: pointer(29), type: 1, data: address }),
    "a pointer does not lead back",
  ],
  [
    "a pointer whose labels run into its own name",
    response({ type: 65_280, data: [0, 0, 1] }, { name: [1, 0, ...pointer(31)], type: 1, data: address }),
    "a pointer leads into its own name",
  ],
  [
    "seventeen pointers in a row",
    response({ type: 65_280, data: [1, 0x61, 0, ...chain(29, 17)] }, { name: pointer(32 + 2 * 16), type: 1, data: address }),
    "too many pointers in a row",
  ],
  ["a label of 64", response({ name: [64, ...Buffer.alloc(64, 0x61), 0], type: 1, data: address }), "a label of no known kind"],
  ["an extended label", response({ name: [0x80, 0], type: 1, data: address }), "a label of no known kind"],
  ["a name of 256", response({ name: [...long.slice(0, -1), 0], type: 1, data: address }), "a name is too long"],
  [
    "a name of 256 by way of a pointer",
    response(
      { name: [...long.slice(0, 192), 0], type: 1, data: address },
      { name: [62, ...Buffer.alloc(62, 0x61), ...pointer(12)], type: 1, data: address },
    ),
    "a name is too long",
  ],
  ["A of 5 bytes", response({ type: 1, data: [...address, 0] }), "data that its type does not have"],
  ["A of 3 bytes", response({ type: 1, data: address.slice(1) }), "data that its type does not have"],
  ["A of class CH", response({ type: 1, class: 3, data: address }), "an address of another class"],
  ["AAAA of 4 bytes", response({ type: 28, data: address }), "data that its type does not have"],
  ["PTR and more", response({ type: 12, data: [...local, 0] }), "data that its type does not have"],
  ["PTR without a name", response({ type: 12, data: [] }), "a name goes past the end"],
  ["SRV without a host", response({ type: 33, data: [0, 0, 0, 0, 0, 80] }), "a name goes past the end"],
  ["SRV too short", response({ type: 33, data: [0, 0, 0, 0] }, { type: 1, data: address }), "data that its type does not have"],
  ["a name that ends in the next record", response({ type: 12, data: [1] }, { type: 1, data: address }), "a label of no known kind"],
  ["TXT whose last text is too long", response({ type: 16, data: [1, 0x61, 5, 0x61] }), "data that its type does not have"],
  ["HINFO of one text", response({ type: 13, data: [1, 0x61] }), "data that its type does not have"],
  ["NSEC of an empty window", response({ type: 47, data: [...local, 0, 0] }), "data that its type does not have"],
  ["NSEC with a zero at the end", response({ type: 47, data: [...local, 0, 2, 0x40, 0] }), "data that its type does not have"],
  ["NSEC of 33 bytes", response({ type: 47, data: [...local, 0, 33, ...Buffer.alloc(33, 1)] }), "data that its type does not have"],
  ["NSEC with windows out of order", response({ type: 47, data: [...local, 1, 1, 1, 0, 1, 1] }), "data that its type does not have"],
  ["OPT as an answer", response({ name: [0], type: 41, data: [] }), "misplaced options"],
  ["a record of type ANY", response({ type: 255, data: [] }), "a record of a type for questions"],
])("%s is refused", (_, packet, fault) => {
  expect(readMessage(packet)).toEqual({ fault });
});

test.each<[why: string, records: readonly (readonly number[])[], fault: string]>([
  ["OPT twice", [[0], [0]], "misplaced options"],
  ["OPT of a name", [local], "misplaced options"],
])("%s is refused", (_, names, fault) => {
  const bytes = response({ type: 1, data: address }, ...names.map((name) => ({ name, type: 41, data: [] })));
  bytes.writeUInt16BE(1, 6);
  bytes.writeUInt16BE(names.length, 10);
  expect(readMessage(bytes)).toEqual({ fault });
});

test("names that were read before count in a chain of pointers", () => {
  const named = (count: number): Buffer => {
    const first = { type: 1, data: address };
    const records = Array.from({ length: count }, (_, index) => ({ ...first, name: pointer(index === 0 ? 12 : 33 + 16 * (index - 1)) }));
    return response(first, ...records);
  };
  expect(readMessage(named(16))).not.toHaveProperty("fault");
  expect(readMessage(named(17))).toEqual({ fault: "too many pointers in a row" });
});

test("an option with a form of its own makes OPT stay behind, others do not", () => {
  const withOption = (code: number): DnsMessage =>
    read(
      writeMessage({
        id: 7,
        questions: [{ name: ["a", "local"], type: 1 }],
        additional: [{ name: [], type: 41, class: 1232, ttl: 0, data: [Uint8Array.of(0, code, 0, 1, 0)] }],
      }),
    );
  expect(withOption(10).unchecked).toEqual([0]);
  expect(withOption(4).unchecked).toEqual([]);
  expect(withOption(4).records[0]).toMatchObject({ class: 1232, flush: false });
});

test("what was written is read", () => {
  fc.assert(
    fc.property(messageToWrite, (wanted) => {
      const message = read(writeMessage(wanted));
      const utf8 = (labels: readonly string[]): readonly string[] => labels.map(fromLatin1);
      expect([message.id, message.response, message.truncated]).toEqual([wanted.id, wanted.response, wanted.truncated]);
      expect(message.questions.map(({ name, type, unicastResponse }) => ({ name: utf8(name.labels), type, unicastResponse }))).toEqual(
        wanted.questions,
      );
      const sections = { answer: wanted.answers ?? [], authority: wanted.authority ?? [], additional: wanted.additional ?? [] };
      for (const [section, records] of Object.entries(sections)) {
        expect(
          message.records
            .filter((record) => record.section === section)
            .map(({ name, type, flush, ttl, dataNames }) => ({
              name: utf8(name.labels),
              type,
              flush,
              ttl,
              names: dataNames.map(({ labels }) => utf8(labels)),
            })),
        ).toEqual(
          records.map(({ name, type, flush, ttl, data }) => ({
            name,
            type,
            flush,
            ttl,
            names: data.filter((piece) => Array.isArray(piece)),
          })),
        );
      }
    }),
  );
});

test("no bytes make it throw, and a part of a message is none", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void readMessage(bytes)));
  for (const bytes of Object.values(packets)) {
    if (bytes.length > 1000) continue;
    for (let length = 0; length < bytes.length; length += 1) expect(readMessage(bytes.subarray(0, length))).toHaveProperty("fault");
  }
});

/** Objects and not milliseconds: each place in a packet is read once, whoever points there. */
test("thousands of pointers to one long name share it", () => {
  const name = Array.from({ length: 126 }, () => [1, 0x61]).flat();
  const records = Array.from({ length: 4000 }, () => ({ name: pointer(12), type: 12, data: pointer(12) }));
  const message = read(response({ name: [...name, 0], type: 1, data: address }, ...records));
  expect(message.records).toHaveLength(4001);
  expect(new Set(message.records.flatMap(({ name, dataNames }) => dataNames.concat(name))).size).toBe(1);
});

/** A name that comes again may be the object of an earlier packet, which must not show. */
test("what a packet says does not hang on what came before it", () => {
  const label = fc.constantFrom("a", "A", "b", "_hap", "_HAP", "_tcp", "local", "a.b", "\0");
  const names = fc.array(fc.array(label, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(names, (said) => {
      for (const labels of said) {
        const name = [...labels.flatMap((text) => [text.length, ...Buffer.from(text, "latin1")]), 0];
        const [record] = read(response({ name, type: 1, data: address })).records;
        expect(record?.name.labels).toEqual(labels);
        expect(record?.name.key).toBe(toName(labels).key);
      }
    }),
  );
});
