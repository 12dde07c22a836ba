/** DNS: what is taken is cut by chance, and each packet that comes out must be good for us, for dns-packet, and for whom else one likes. */
import { decode } from "dns-packet";
import { cutMessage } from "../../src/relay/dns/cut-message.ts";
import { describeMessage } from "../../src/relay/dns/describe-message.ts";
import type { DnsCut, DnsMessage } from "../../src/relay/dns/dns-message.ts";
import { hashMessage } from "../../src/relay/dns/hash-message.ts";
import { readMessage } from "../../src/relay/dns/read-message.ts";
import { toNameParts } from "../../src/relay/mdns/name-parts.ts";
import { packets } from "../fixtures/mdns-packets.ts";
import { checkScan } from "./check-scan.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import type { Random } from "./random.ts";

const keepAll: DnsCut = { droppedQuestions: new Set(), droppedRecords: new Set() };

/** `judge` gets every packet that would be sent. */
export function createDnsTarget(judge: (packet: Uint8Array) => void = () => {}): FuzzTarget {
  return {
    name: "dns",
    corpus: Object.values(packets),
    mutate: mutateDns,
    check(packet, random, clock) {
      const before = Uint8Array.from(packet);
      clock.measure(() => checkScan(packet));
      const message = clock.measure(() => readMessage(packet));
      if ("fault" in message) return false;
      clock.measure(() => touch(message));
      const { cut, maximum } = chooseCut(message, random);
      const outputs = clock.measure(() => cutMessage(message, cut, maximum === undefined ? {} : { maximum }));
      for (const output of outputs) {
        decode(Buffer.from(output.buffer, output.byteOffset, output.length));
        judge(output);
      }
      if (Buffer.compare(packet, before) !== 0) throw new TypeError("the packet was changed");
      const parts = outputs.map(readAgain);
      for (const part of parts) checkPart(part, message);
      const [only] = parts;
      if (parts.length === 1 && only !== undefined && maximum === undefined && hashMessage(only) !== hashMessage(message, cut)) {
        throw new TypeError("what came out says something else than what went in");
      }
      return true;
    },
  };
}

function touch(message: DnsMessage): void {
  const description = describeMessage(message);
  if (description.length > 200) throw new TypeError(`a description of ${description.length}`);
  for (const { name, dataNames } of message.records) {
    for (const each of [name, ...dataNames]) if (each.key.length > 1020) throw new TypeError("a key longer than names can be");
    toNameParts(name.key);
  }
}

function readAgain(output: Uint8Array): DnsMessage {
  const part = readMessage(output);
  if ("fault" in part) throw new TypeError(`we made what we refuse: ${part.fault}`);
  return part;
}

function checkPart(part: DnsMessage, { id, response }: DnsMessage): void {
  if (part.id !== id || part.response !== response) throw new TypeError("another header");
  if (part.questions.some(({ unicastResponse }) => unicastResponse)) throw new TypeError("QU left in");
  if (part.trailing || part.emptyTexts.length + part.unchecked.length > 0) throw new TypeError("not mended");
}

function chooseCut({ questions, records }: DnsMessage, random: Random): { cut: DnsCut; maximum: number | undefined } {
  const maximum = random.once(4) ? 40 + random.below(1500) : undefined;
  if (random.once(3)) return { cut: keepAll, maximum };
  const times = random.pick([2, 4, 20]);
  const choose = (list: readonly unknown[]): Set<number> => new Set([...list.keys()].filter(() => random.once(times)));
  return { cut: { droppedQuestions: random.once(3) ? choose(questions) : new Set(), droppedRecords: choose(records) }, maximum };
}

/** Counts, pointers, lengths, types and what is in between. */
function mutateDns(packet: Buffer, random: Random): Buffer {
  const copy = Buffer.from(packet);
  if (copy.length < 12) return copy;
  const message = readMessage(copy);
  const at = 12 + random.below(copy.length - 11);
  switch (random.below(7)) {
    case 0: {
      const count = 4 + 2 * random.below(4);
      copy.writeUInt16BE(random.once(3) ? random.below(0x1_0000) : (copy.readUInt16BE(count) + random.pick([1, -1, 2])) & 0xffff, count);
      return copy;
    }
    case 1:
      if (at + 2 <= copy.length) copy.writeUInt16BE(0xc000 | random.below(Math.min(copy.length, 0x4000)), at);
      return copy;
    case 2: {
      const pointer = findPointer(copy, at);
      if (pointer !== undefined)
        copy.writeUInt16BE(0xc000 | (0x3fff & random.pick([random.below(Math.min(copy.length, 0x4000)), pointer, 12, 0])), pointer);
      return copy;
    }
    case 3:
      copy[2] = random.below(256);
      return copy;
    default:
      return "fault" in message ? copy : mutateRecord(copy, message, random);
  }
}

function findPointer(packet: Buffer, from: number): number | undefined {
  for (let index = from; index + 1 < packet.length; index += 1) if ((packet[index] ?? 0) >= 0xc0) return index;
  return undefined;
}

const types: readonly [number, ...number[]] = [1, 2, 5, 6, 12, 13, 15, 16, 17, 25, 28, 33, 39, 41, 46, 47, 64, 250, 255, 65_280];

function mutateRecord(packet: Buffer, { records }: DnsMessage, random: Random): Buffer {
  const record = records[random.below(Math.max(1, records.length))];
  if (record === undefined) return packet;
  const { start, dataStart, end } = record;
  switch (random.below(6)) {
    case 0:
      packet.writeUInt16BE(random.pick(types), dataStart - 10);
      return packet;
    case 1:
      packet.writeUInt16BE((end - dataStart + random.pick([1, -1, 2, 12, 0x7fff])) & 0xffff, dataStart - 2);
      return packet;
    case 2:
      packet.writeUInt32BE(random.pick([0, 1, 120, 0x7fff_ffff, 0xffff_ffff]), dataStart - 6);
      return packet;
    case 3: {
      // Data and its length change together, so that what is wrong is inside.
      const data = Buffer.alloc(random.below(random.once(10) ? 4000 : 24), random.below(256));
      packet.writeUInt16BE(data.length, dataStart - 2);
      return Buffer.concat([packet.subarray(0, dataStart), data, packet.subarray(end)]);
    }
    case 4: {
      // The same record again and again.
      const copies = random.once(50) ? 2000 : 1 + random.below(6);
      packet.writeUInt16BE((packet.readUInt16BE(6) + copies) & 0xffff, 6);
      const again = Array.from({ length: copies }, () => packet.subarray(start, end));
      return Buffer.concat([packet.subarray(0, start), ...again, packet.subarray(start)]).subarray(0, 65_507);
    }
    default:
      packet.writeUInt16BE(random.pick([1, 0x8001, 3, 255, 0x7fff, 0xffff]), dataStart - 8);
      return packet;
  }
}
