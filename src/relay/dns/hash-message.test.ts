import fc from "fast-check";
import { expect, test } from "vitest";
import { messageToWrite } from "../../../test/fixtures/arbitrary-message.ts";
import { homekit, packets } from "../../../test/fixtures/mdns-packets.ts";
import { cutMessage } from "./cut-message.ts";
import type { DnsMessage } from "./dns-message.ts";
import { hashBytes, hashMessage } from "./hash-message.ts";
import { readMessage } from "./read-message.ts";
import { type MessageToWrite, pointerRecord, type RecordToWrite, writeMessage } from "./write-message.ts";

function read(bytes: Uint8Array): DnsMessage {
  const message = readMessage(bytes);
  if ("fault" in message) throw new TypeError(message.fault);
  return message;
}

const hashOf = (message: MessageToWrite): number => hashMessage(read(writeMessage(message)));
const keepAll = { droppedQuestions: new Set<number>(), droppedRecords: new Set<number>() };

test("copies are alike: in another order, with other TTLs, another case, without QU, without compression", () => {
  fc.assert(
    fc.property(messageToWrite, fc.nat(), (message, turn) => {
      const rotate = <T>(list: readonly T[] = []): readonly T[] => [
        ...list.slice(turn % (list.length || 1)),
        ...list.slice(0, turn % (list.length || 1)),
      ];
      const shout = (name: readonly string[]): readonly string[] =>
        name.map((label) => label.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()));
      const again = (records: readonly RecordToWrite[] = []): readonly RecordToWrite[] =>
        rotate(records).map(({ name, type, ttl, data, flush = false }) => ({
          name: shout(name),
          type,
          flush,
          data,
          ttl: ttl === 0 ? 0 : ttl + 1,
        }));
      const copy: MessageToWrite = {
        id: message.id ?? 0,
        response: message.response ?? false,
        questions: rotate(message.questions).map(({ name, type }) => ({ name: shout(name), type })),
        answers: again(message.answers),
        authority: again(message.authority),
        additional: again(message.additional),
      };
      expect(hashOf(copy)).toBe(hashOf(message));
    }),
  );
});

test("a message and its uncompressed copy are alike", () => {
  const name = ["a", "local"];
  const compressed = read(writeMessage({ response: true, answers: [pointerRecord(name, ["b", "local"], 9)] }));
  const plain = Buffer.from("0000840000000001000000000161056c6f63616c00000c00010000000900090162056c6f63616c00", "hex");
  expect(compressed.bytes.length).toBeLessThan(plain.length);
  expect(hashMessage(read(plain))).toBe(hashMessage(compressed));
});

test("what is cut has the hash of what comes out", () => {
  fc.assert(
    fc.property(messageToWrite, fc.array(fc.nat(15)), (wanted, drops) => {
      const message = read(writeMessage(wanted));
      const cut = { ...keepAll, droppedRecords: new Set(drops) };
      for (const packet of cutMessage(message, cut)) expect(hashMessage(read(packet))).toBe(hashMessage(message, cut));
    }),
  );
});

test("other content is not alike", () => {
  const name = ["Printer", "_ipp", "_tcp", "local"];
  const type = ["_ipp", "_tcp", "local"];
  const address = (last: number): RecordToWrite => ({ name: ["p", "local"], type: 1, ttl: 120, data: [Uint8Array.of(192, 0, 2, last)] });
  const service = (port: number): RecordToWrite => ({
    name,
    type: 33,
    ttl: 120,
    data: [Uint8Array.of(0, 0, 0, 0, 0, port), ["p", "local"]],
  });
  const denial = (bits: number): RecordToWrite => ({ name, type: 47, ttl: 120, data: [name, Uint8Array.of(0, 1, bits)] });
  const messages: readonly MessageToWrite[] = [
    { questions: [{ name: type, type: 12 }] },
    { questions: [{ name: type, type: 255 }] },
    { questions: [{ name: type, type: 12 }], id: 5 },
    { questions: [{ name: type, type: 12 }], answers: [pointerRecord(type, name, 4500)] },
    { questions: [{ name: type, type: 12 }], authority: [pointerRecord(type, name, 4500)] },
    { response: true, answers: [pointerRecord(type, name, 4500)] },
    { response: true, answers: [{ ...pointerRecord(type, name, 4500), flush: true }] },
    { response: true, answers: [pointerRecord(type, name, 0)] },
    { response: true, answers: [pointerRecord(type, name, 0), pointerRecord(type, name, 0)] },
    { response: true, answers: [pointerRecord(type, ["Printer 2", ...type], 4500)] },
    { response: true, answers: [pointerRecord(type, ["Print", "er", ...type.slice(1)], 4500)] },
    ...[1, 2]
      .flatMap((number) => [address(number), service(number), denial(number)])
      .map((record) => ({ response: true, answers: [record] })),
  ];
  expect(new Set(messages.map(hashOf)).size).toBe(messages.length);
});

test("answers and additional records of a response are one", () => {
  const first = [pointerRecord(["a", "local"], ["b", "local"], 9)];
  const second = [pointerRecord(["c", "local"], ["d", "local"], 9)];
  expect(hashOf({ response: true, answers: first, additional: second })).toBe(hashOf({ response: true, answers: first.concat(second) }));
});

test("every bit of a packet counts", () => {
  const hashes = new Set([hashBytes(homekit)]);
  for (let bit = 0; bit < homekit.length * 8; bit += 1) {
    const copy = homekit.slice();
    copy[bit >>> 3]! ^= 1 << (bit & 7);
    hashes.add(hashBytes(copy));
  }
  expect(hashes.size).toBe(homekit.length * 8 + 1);
  expect(hashBytes(homekit.slice())).toBe(hashBytes(homekit));
});

test("a hundred thousand messages have as many hashes, and all bits of them are used", () => {
  const hashes = new Set<number>();
  let ones = 0n;
  let zeros = 0n;
  for (let number = 0; number < 100_000; number += 1) {
    const hash = hashBytes(Uint8Array.of(number, number >>> 8, number >>> 16));
    hashes.add(hash);
    ones |= BigInt(hash);
    zeros |= ~BigInt(hash);
  }
  expect(hashes.size).toBe(100_000);
  expect(Number.isSafeInteger(Math.max(...hashes))).toBe(true);
  const all = (1n << 53n) - 1n;
  expect([ones & all, zeros & all]).toEqual([all, all]);
});

test("all packets of a home differ", () => {
  const hashes = Object.values(packets).map((bytes) => hashMessage(read(bytes)));
  expect(new Set(hashes).size).toBe(hashes.length);
});
