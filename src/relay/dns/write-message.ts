/** Makes messages: for what aerial itself has to say, and for tests. */
import { type DnsSection, recordType } from "./dns-message.ts";
import { toName } from "./dns-name.ts";
import { PacketWriter } from "./packet-writer.ts";
import { toReadName } from "./read-name.ts";

/** A name as its labels, in UTF-8 text, without the root: `["Living Room", "_hap", "_tcp", "local"]`. */
export type Labels = readonly string[];

export interface QuestionToWrite {
  readonly name: Labels;
  readonly type: number;
  /** Without the top bit; IN if left out. */
  readonly class?: number;
  readonly unicastResponse?: boolean;
}

export interface RecordToWrite {
  readonly name: Labels;
  readonly type: number;
  /** Without the top bit; IN if left out. */
  readonly class?: number;
  readonly flush?: boolean;
  /** Seconds. */
  readonly ttl: number;
  /** Bytes and names, one after the other. */
  readonly data: readonly (Uint8Array | Labels)[];
}

export interface MessageToWrite {
  readonly id?: number;
  readonly response?: boolean;
  readonly truncated?: boolean;
  readonly questions?: readonly QuestionToWrite[];
  readonly answers?: readonly RecordToWrite[];
  readonly authority?: readonly RecordToWrite[];
  readonly additional?: readonly RecordToWrite[];
}

const classIn = 1;
const topBit = 0x8000;

/** QR and AA (RFC 6762 §18.2, §18.4). */
const responseFlags = 0x8400;
const truncatedFlag = 0x0200;

const writer = new PacketWriter();

/** The packet, names compressed. What it says is not checked; a message must fit a datagram. */
export function writeMessage({ id = 0, response = false, truncated = false, ...sections }: MessageToWrite): Uint8Array {
  const flags = (response ? responseFlags : 0) | (truncated ? truncatedFlag : 0);
  writer.begin(Uint8Array.of(id >>> 8, id, flags >>> 8, flags));
  for (const question of sections.questions ?? []) {
    const dnsClass = (question.class ?? classIn) | (question.unicastResponse === true ? topBit : 0);
    writer.addQuestion(toReadName(toName(question.name)), question.type, dnsClass);
    writer.count("question");
  }
  addRecords(sections.answers ?? [], "answer");
  addRecords(sections.authority ?? [], "authority");
  addRecords(sections.additional ?? [], "additional");
  return writer.finish();
}

function addRecords(records: readonly RecordToWrite[], section: DnsSection): void {
  for (const { name, type, class: dnsClass = classIn, flush = false, ttl, data } of records) {
    const fixed = new DataView(new ArrayBuffer(fixedLength));
    fixed.setUint16(0, type);
    fixed.setUint16(2, dnsClass | (flush ? topBit : 0));
    fixed.setUint32(4, ttl);
    const source = Buffer.concat([
      new Uint8Array(fixed.buffer),
      ...data.map((piece) => (piece instanceof Uint8Array ? piece : toWire(piece))),
    ]);
    const dataNames = data.flatMap((piece) => (piece instanceof Uint8Array ? [] : [toReadName(toName(piece))]));
    writer.addRecord({ name: toReadName(toName(name)), source, type, dataStart: fixedLength, end: source.length, dataNames });
    writer.count(section);
  }
}

/** Type, class, TTL and length. */
const fixedLength = 10;

function toWire(labels: Labels): Uint8Array {
  const pieces = labels.flatMap((label) => {
    const bytes = Buffer.from(label, "utf8");
    return [Uint8Array.of(bytes.length), bytes];
  });
  return Buffer.concat([...pieces, Uint8Array.of(0)]);
}

/** Data of SRV (RFC 2782) with priority and weight 0. */
export function serviceData(port: number, host: Labels): RecordToWrite["data"] {
  return [Uint8Array.of(0, 0, 0, 0, port >>> 8, port), host];
}

/** Data of TXT (RFC 6763 §6): `key=value` each, or one empty string if there are none. */
export function textData(pairs: Readonly<Record<string, string>>): RecordToWrite["data"] {
  const texts = Object.entries(pairs).map(([key, value]) => Buffer.from(`${key}=${value}`, "utf8"));
  if (texts.length === 0) return [Uint8Array.of(0)];
  return texts.flatMap((text) => [Uint8Array.of(text.length), text]);
}

/** Data of NSEC as RFC 6762 §6.1 has it: types up to 255 only. */
export function denialData(name: Labels, types: readonly number[]): RecordToWrite["data"] {
  const bits = new Uint8Array((Math.max(...types) >>> 3) + 1);
  for (const type of types) bits[type >>> 3] = (bits[type >>> 3] ?? 0) | (0x80 >>> (type & 7));
  return [name, Uint8Array.of(0, bits.length), bits];
}

/** A PTR record, the most usual one. */
export function pointerRecord(name: Labels, target: Labels, ttl: number): RecordToWrite {
  return { name, type: recordType.PTR, ttl, data: [target] };
}
