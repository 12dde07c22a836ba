import { decode } from "dns-packet";
import fc from "fast-check";
import { expect, test } from "vitest";
import { messageToWrite } from "../../../test/fixtures/arbitrary-message.ts";
import { homekit, packets } from "../../../test/fixtures/mdns-packets.ts";
import { cutMessage } from "./cut-message.ts";
import type { DnsCut, DnsMessage } from "./dns-message.ts";
import { readMessage } from "./read-message.ts";
import { pointerRecord, writeMessage } from "./write-message.ts";

const keepAll: DnsCut = { droppedQuestions: new Set(), droppedRecords: new Set() };
const without = (...records: number[]): DnsCut => ({ droppedQuestions: new Set(), droppedRecords: new Set(records) });

function read(bytes: Uint8Array): DnsMessage {
  const message = readMessage(bytes);
  if ("fault" in message) throw new TypeError(message.fault);
  return message;
}

function cutOne(bytes: Uint8Array, cut: DnsCut): Uint8Array {
  const cuts = cutMessage(read(bytes), cut);
  expect(cuts).toHaveLength(1);
  return cuts[0]!;
}

/** What a packet says, as somebody else reads it. */
const said = (bytes: Uint8Array): Said => {
  const { id, flags, questions = [], answers = [], authorities = [], additionals = [] } = decode(Buffer.from(bytes));
  return { id, flags, questions, answers, authorities, additionals };
};
type Said = Record<"id" | "flags" | "questions" | "answers" | "authorities" | "additionals", unknown>;

test("what loses nothing is the very packet", () => {
  expect(cutOne(homekit, keepAll)).toBe(homekit);
});

test("QU is taken out, and nothing else", () => {
  const bytes = packets["query"]!;
  const cut = cutOne(bytes, keepAll);
  expect(read(bytes).questions.map(({ unicastResponse }) => unicastResponse)).toEqual([false, false, true]);
  expect(read(cut).questions.map(({ unicastResponse }) => unicastResponse)).toEqual([false, false, false]);
  expect([...cut.keys()].filter((index) => cut[index] !== bytes[index])).toEqual([bytes.length - 2]);
});

test("the packet that was read stays as it is, be it a Buffer", () => {
  const bytes = Buffer.from(packets["query"]!);
  const before = Buffer.from(bytes);
  cutOne(bytes, keepAll);
  expect(bytes).toEqual(before);
});

test("a name that uses a question's class outlives the loss of QU", () => {
  // Two questions for `local`, the second with QU and class 0; a known answer whose name's only label is the first byte of that class.
  const bytes = Buffer.from("000000000002000100000000056c6f63616c0000010001c00c00018000c01a00010001000000780004c0000201", "hex");
  const message = read(bytes);
  expect(message.records.map(({ name }) => name.labels)).toEqual([["\u0080"]]);
  const cut = read(cutOne(bytes, keepAll));
  expect(cut.records.map(({ name }) => name.labels)).toEqual([["\u0080"]]);
  expect(cut.questions.some(({ unicastResponse }) => unicastResponse)).toBe(false);
});

test("names inside names do not make the relay send many times what it was sent", () => {
  // 61 labels of 60 bytes, one byte apart, and a zero after each of them; then a record of unknown type for each.
  const labels = Buffer.concat([Buffer.alloc(61, 60), Buffer.alloc(61)]);
  const opaque = Buffer.concat([Buffer.from("00ff00000100000078007a", "hex"), labels]);
  const records = Array.from({ length: 61 }, (_, index) => Buffer.from([0xc0, 23 + index, 0xff, 0, 0, 1, 0, 0, 0, 120, 0, 0]));
  const bytes = Buffer.concat([Buffer.from([0, 0, 0x84, 0, 0, 0, 0, 62, 0, 0, 0, 0]), opaque, ...records]);
  expect(read(bytes).strayPointers).toBe(true);
  expect(cutMessage(read(bytes), keepAll)).toEqual([]);
});

test("bytes after the message are cut off", () => {
  expect(Buffer.compare(cutOne(Buffer.concat([homekit, Buffer.from("more")]), keepAll), homekit)).toBe(0);
});

test("a record out of the middle: names that pointed into it are whole", () => {
  const { answers, ...rest } = said(homekit);
  const kept = [...(answers as unknown[])];
  kept.splice(1, 2);
  const cut = cutOne(homekit, without(1, 2));
  expect(said(cut)).toEqual({ ...rest, answers: kept });
  expect(cut.length).toBeLessThan(homekit.length);
});

test("the name that an NSEC record denies for is right after a cut", () => {
  const cut = read(cutOne(homekit, without(0, 1)));
  const denials = cut.records.filter(({ type }) => type === 47);
  expect(denials.map(({ name, dataNames }) => [name.key, dataNames[0]?.key])).toEqual([
    [String.raw`front door 2\.0._hap._tcp.local`, String.raw`front door 2\.0._hap._tcp.local`],
    ["front-door.local", "front-door.local"],
  ]);
});

test("empty TXT data becomes one empty text", () => {
  const bytes = writeMessage({ response: true, answers: [{ name: ["a", "local"], type: 16, ttl: 120, data: [] }] });
  const empty = Buffer.from(bytes.subarray(0, -1));
  empty.writeUInt16BE(0, empty.length - 2);
  expect(read(empty).emptyTexts).toEqual([0]);
  expect(cutOne(empty, keepAll)).toEqual(bytes);
});

test("records that nobody can vouch for stay behind", () => {
  const address = { name: ["a", "local"], type: 1, ttl: 120, data: [Uint8Array.of(192, 0, 2, 1)] };
  const signature = { name: ["a", "local"], type: 46, ttl: 120, data: [Uint8Array.of(1, 2, 3)] };
  const bytes = writeMessage({ response: true, answers: [address, signature, address] });
  expect(cutOne(bytes, keepAll)).toEqual(writeMessage({ response: true, answers: [address, address] }));
});

test("nothing goes on where nothing would be said", () => {
  const query = read(packets["query with known answers"]!);
  expect(cutMessage(query, { ...keepAll, droppedQuestions: new Set([0]) })).toEqual([]);
  const response = read(packets["chromecast"]!);
  expect(cutMessage(response, without(0))).toEqual([]);
  const more = read(packets["more known answers"]!);
  expect(cutMessage(more, without(...Array.from({ length: 12 }, (_, index) => index)))).toEqual([]);
  expect(cutMessage(more, without(0))).toHaveLength(1);
});

test("a query that is too long is followed by its known answers, TC on all but the last", () => {
  const bytes = packets["query with TC"]!;
  const message = read(writeUntruncated(bytes));
  const parts = cutMessage(message, keepAll, { maximum: 400 }).map(read);
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.map(({ truncated }) => truncated)).toEqual(parts.map((_, index) => index < parts.length - 1));
  expect(parts.map(({ questions }) => questions.length)).toEqual(parts.map((_, index) => (index === 0 ? 1 : 0)));
  expect(parts.flatMap(({ records }) => records.map(({ target }) => target?.key))).toEqual(
    message.records.map(({ target }) => target?.key),
  );
  expect(cutMessage(read(bytes), keepAll, { maximum: 512 }).map((part) => read(part).truncated)).not.toContain(false);
});

function writeUntruncated(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[2] = copy[2]! & ~0x02;
  return copy;
}

test("a response of 9000 bytes becomes responses that fit, each with answers", () => {
  const message = read(packets["9000 bytes"]!);
  expect(message.bytes.length).toBeGreaterThan(8000);
  const parts = cutMessage(message, keepAll, { maximum: 1232 });
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(1232);
  expect(parts.flatMap((part) => read(part).records.map(({ target }) => target?.key))).toEqual(
    message.records.map(({ target }) => target?.key),
  );
});

test("additional records that do not fit beside the answers are answered", () => {
  const parts = cutMessage(read(homekit), keepAll, { maximum: 200 }).map(read);
  expect(parts.every(({ records }) => records[0]?.section === "answer")).toBe(true);
  expect(parts.flatMap(({ records }) => records.map(({ type }) => type))).toEqual(read(homekit).records.map(({ type }) => type));
});

test("what follows a full packet is counted as what it is", () => {
  const question = { name: ["local"], type: 1 };
  const questions = [question, { name: ["x".repeat(63), "local"], type: 1 }, question];
  const additional = [{ name: ["local"], type: 1, ttl: 120, data: [new Uint8Array(4)] }];
  const parts = cutMessage(read(writeMessage({ response: true, questions, additional })), keepAll, { maximum: 94 }).map(read);
  expect(parts.map(({ questions, records }) => [questions.length, records.map(({ section }) => section)])).toEqual([
    [2, []],
    [1, ["additional"]],
  ]);
});

test("names that were taken back with a record are written again", () => {
  const records = ["a", "b", "c", "d"].map((label) => pointerRecord([label, "one", "local"], [label, "two", "local"], 120));
  const message = read(writeMessage({ response: true, answers: records }));
  for (let maximum = 40; maximum < message.bytes.length; maximum += 1) {
    const parts = cutMessage(message, keepAll, { maximum }).map(read);
    expect(parts.flatMap((part) => content(part))).toEqual(content(message));
  }
});

test("names that grow label by label are not compressed into longer chains than readers follow", () => {
  const names = Array.from({ length: 60 }, (_, index) => [...Array.from({ length: index }, (_label, part) => `${index - part}`), "local"]);
  const message = read(writeMessage({ response: true, answers: names.map((name) => pointerRecord(name, ["x", ...name], 120)) }));
  expect(message.records.map(({ name }) => name.labels)).toEqual(names);
  expect(content(read(cutOne(message.bytes, without(0))))).toEqual(content(message, without(0)));
});

test("names further away than pointers reach are written in full", () => {
  const records = Array.from({ length: 900 }, (_, index) =>
    pointerRecord(["_x", `${index % 450}`, "local"], ["x".repeat(40), `${index}`, "local"], 120),
  );
  const message = read(writeMessage({ response: true, answers: records }));
  expect(message.bytes.length).toBeGreaterThan(0x8000);
  expect(content(read(cutOne(message.bytes, without(0))))).toEqual(content(message, without(0)));
  expect(message.records.at(-1)?.name.labels).toEqual(["_x", "449", "local"]);
});

test("a probe is never split, and a record that is too long goes alone", () => {
  expect(cutMessage(read(packets["probe"]!), keepAll, { maximum: 60 })).toHaveLength(1);
  const long = { name: ["a", "local"], type: 16, ttl: 120, data: Array.from({ length: 8 }, () => Buffer.alloc(201, 200)) };
  const short = { name: ["a", "local"], type: 1, ttl: 120, data: [Uint8Array.of(192, 0, 2, 1)] };
  const parts = cutMessage(read(writeMessage({ response: true, answers: [short, long, short] })), keepAll, { maximum: 1000 });
  expect(parts.map((part) => read(part).records.map(({ type }) => type))).toEqual([[1], [16], [1]]);
});

interface Choice {
  readonly bytes: Uint8Array;
  readonly cut: DnsCut;
  readonly maximum: number | undefined;
}

const choices: fc.Arbitrary<Choice> = fc
  .record({
    message: messageToWrite,
    questions: fc.array(fc.boolean()),
    records: fc.array(fc.boolean()),
    maximum: fc.option(fc.integer({ min: 100, max: 900 }), { nil: undefined }),
  })
  .map(({ message, questions, records, maximum }) => {
    const chosen = (drops: readonly boolean[]): Set<number> => new Set(drops.flatMap((drop, index) => (drop ? [index] : [])));
    return { bytes: writeMessage(message), cut: { droppedQuestions: chosen(questions), droppedRecords: chosen(records) }, maximum };
  });

/** A message's content without sections, QU and what is repaired on the way. */
function content(message: DnsMessage, cut: DnsCut = keepAll): unknown[] {
  const unchecked = new Set(message.unchecked);
  const questions = message.questions
    .filter((_, index) => !cut.droppedQuestions.has(index))
    .map(({ name, type, class: dnsClass }) => ({ labels: name.labels, type, dnsClass }));
  const records = message.records
    .filter((_, index) => !cut.droppedRecords.has(index) && !unchecked.has(index))
    .map(({ name, type, class: dnsClass, flush, ttl, dataNames, dataStart, end }) => ({
      labels: name.labels,
      type,
      dnsClass,
      flush,
      ttl,
      names: dataNames.map(({ labels }) => labels),
      data: dataNames.length > 0 ? [] : end === dataStart && type === 16 ? [0] : [...message.bytes.subarray(dataStart, end)],
    }));
  return [...questions, ...records];
}

test("whatever is taken out, the rest is what it was, others can read it, and it is as short as it was", () => {
  fc.assert(
    fc.property(choices, ({ bytes, cut, maximum }) => {
      const message = read(bytes);
      const packets = cutMessage(message, cut, { maximum });
      for (const packet of packets) decode(Buffer.from(packet));
      const parts = packets.map(read);
      if (maximum === undefined) {
        const grown = message.emptyTexts.length;
        for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(bytes.length + grown);
      }
      for (const part of parts) {
        expect([...part.questions].filter(({ unicastResponse }) => unicastResponse)).toEqual([]);
        expect([part.id, part.response, part.emptyTexts, part.unchecked]).toEqual([message.id, message.response, [], []]);
      }
      if (
        packets.length === 0 ||
        (maximum !== undefined && !message.response && message.records.some(({ section }) => section === "additional"))
      )
        return;
      expect(parts.flatMap((part) => content(part))).toEqual(content(message, cut));
    }),
    { numRuns: 500 },
  );
});
