/** DNS messages as multicast DNS has them (RFC 1035 §4, RFC 6762 §18), read strictly: what others would refuse is refused here. */
import type { DnsFault, DnsMessage, DnsName, DnsQuestion, DnsRecord, DnsSection } from "./dns-message.ts";
import { recordType } from "./dns-message.ts";
import { endOfBitmaps, endOfTexts, isForeignType, isQuestionType, part, rdataLayout } from "./rdata-layout.ts";
import { NameReader, type ReadName } from "./read-name.ts";

const headerLength = 12;
/** A root name, type and class. */
const questionLeast = 5;
/** A root name, type, class, TTL and the length of no data. */
const recordLeast = 11;

const topBit = 0x8000;
const responseFlag = 0x8000;
const opcodeMask = 0x7800;
const truncatedFlag = 0x0200;
const rcodeMask = 0x000f;

/** Class CH (RFC 1035 §3.2.4), in which A is something else. */
const chaos = 3;

const reader = new NameReader();

/**
 * Reads a packet. Messages with an opcode or a response code are faults, since they must be ignored (RFC 6762 §18.3, §18.11), as
 * are those that say nothing. Bytes after the message are none of it. Never throws; the time it takes grows with the
 * packet's length and with nothing else.
 */
export function readMessage(bytes: Uint8Array): DnsMessage | DnsFault {
  reader.open(bytes);
  return new MessageReader(bytes).read();
}

class MessageReader {
  private readonly bytes: Uint8Array;
  private offset = headerLength;
  private fault = "";
  private readonly questions: DnsQuestion[] = [];
  private readonly records: DnsRecord[] = [];
  private emptyTexts: number[] | undefined;
  private unchecked: number[] | undefined;
  private hasOptions = false;
  /** Found by the last `checkData`. */
  private names: DnsName[] | undefined;
  private checked = true;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  read(): DnsMessage | DnsFault {
    const { bytes, questions, records } = this;
    if (bytes.length < headerLength) return { fault: "shorter than a header" };
    const flags = uint16(bytes, 2);
    if ((flags & opcodeMask) !== 0) return { fault: "an opcode" };
    if ((flags & rcodeMask) !== 0) return { fault: "a response code" };
    const questionCount = uint16(bytes, 4);
    const counts = [uint16(bytes, 6), uint16(bytes, 8), uint16(bytes, 10)] as const;
    const recordCount = counts[0] + counts[1] + counts[2];
    if (questionCount + recordCount === 0) return { fault: "says nothing" };
    if (headerLength + questionCount * questionLeast + recordCount * recordLeast > bytes.length) return { fault: "counts do not fit" };

    for (let index = 0; index < questionCount; index += 1) if (!this.readQuestion()) return { fault: this.fault };
    const fits =
      this.readRecords("answer", counts[0]) && this.readRecords("authority", counts[1]) && this.readRecords("additional", counts[2]);
    if (!fits) return { fault: this.fault };

    const trailing = this.offset < bytes.length;
    return {
      bytes: trailing ? bytes.subarray(0, this.offset) : bytes,
      id: uint16(bytes, 0),
      response: (flags & responseFlag) !== 0,
      truncated: (flags & truncatedFlag) !== 0,
      questions,
      records,
      trailing,
      emptyTexts: this.emptyTexts ?? none,
      unchecked: this.unchecked ?? none,
      strayPointers: reader.stray,
    };
  }

  private readQuestion(): boolean {
    const { bytes, offset: start } = this;
    const name = this.readName(start);
    if (name === undefined) return false;
    const at = reader.end;
    const end = at + 4;
    if (end > bytes.length) return this.refuse("a question goes past the end");
    const classField = uint16(bytes, at + 2);
    this.questions.push({
      name,
      type: uint16(bytes, at),
      class: classField & ~topBit,
      unicastResponse: (classField & topBit) !== 0,
      start,
      end,
    });
    this.offset = end;
    return true;
  }

  private readRecords(section: DnsSection, count: number): boolean {
    for (let index = 0; index < count; index += 1) if (!this.readRecord(section)) return false;
    return true;
  }

  private readRecord(section: DnsSection): boolean {
    const { bytes, offset: start, records } = this;
    const name = this.readName(start);
    if (name === undefined) return false;
    const at = reader.end;
    const dataStart = at + 10;
    if (dataStart > bytes.length) return this.refuse("a record goes past the end");
    const type = uint16(bytes, at);
    const classField = uint16(bytes, at + 2);
    const end = dataStart + uint16(bytes, at + 8);
    if (end > bytes.length) return this.refuse("a record goes past the end");
    const isOptions = type === recordType.OPT;
    if (isOptions && !this.mayHaveOptions(section, name)) return false;
    if (isQuestionType(type)) return this.refuse("a record of a type for questions");
    if (type === recordType.A && (classField & ~topBit) === chaos) return this.refuse("an address of another class");

    this.names = undefined;
    this.checked = !isForeignType(type);
    if (type === recordType.TXT && end === dataStart) (this.emptyTexts ??= []).push(records.length);
    else if (!this.checkData(type, dataStart, end)) return false;
    if (!this.checked) (this.unchecked ??= []).push(records.length);

    const names = this.names ?? noNames;
    records.push({
      section,
      name,
      type,
      class: isOptions ? classField : classField & ~topBit,
      flush: !isOptions && (classField & topBit) !== 0,
      ttl: uint16(bytes, at + 4) * 0x1_0000 + uint16(bytes, at + 6),
      start,
      end,
      dataStart,
      target: type === recordType.PTR || type === recordType.SRV || type === recordType.CNAME ? names[0] : undefined,
      dataNames: names,
    });
    this.offset = end;
    return true;
  }

  /** RFC 6891 §6.1.1: once, among the additional records, of the root. */
  private mayHaveOptions(section: DnsSection, name: ReadName): boolean {
    if (section !== "additional" || this.hasOptions || name.rest !== undefined) return this.refuse("misplaced options");
    this.hasOptions = true;
    return true;
  }

  /** Holds data to the layout of its type. */
  private checkData(type: number, start: number, end: number): boolean {
    let offset = start;
    const layout = rdataLayout(type);
    for (let index = 0; index < layout.length; index += 1) {
      const step = layout[index] ?? part.rest;
      if (step >= 0) offset += step;
      else if (step === part.name) {
        const name = this.readName(offset);
        if (name === undefined) return false;
        if (this.names === undefined) this.names = [name];
        else this.names.push(name);
        offset = reader.end;
      } else if (step === part.text) offset += 1 + (this.bytes[offset] ?? 0);
      else if (step === part.texts) offset = endOfTexts(this.bytes, offset, end);
      else if (step === part.bitmaps) offset = endOfBitmaps(this.bytes, offset, end);
      else if (step === part.options) offset = this.skipOptions(offset, end);
      else if (offset <= end) offset = end;
      if (offset > end) return this.refuse("data that its type does not have");
    }
    return offset === end || this.refuse("data that its type does not have");
  }

  /** RFC 6891 §6.1.2. Returns more than `end` if they do not fill the data. */
  private skipOptions(start: number, end: number): number {
    const { bytes } = this;
    let offset = start;
    while (offset + 4 <= end) {
      if (structuredOptions.has(uint16(bytes, offset))) this.checked = false;
      offset += 4 + uint16(bytes, offset + 2);
    }
    return offset === end ? end : end + 1;
  }

  private readName(start: number): ReadName | undefined {
    const name = reader.read(start);
    if (name === undefined) this.fault = reader.fault;
    return name;
  }

  private refuse(fault: string): false {
    this.fault = fault;
    return false;
  }
}

const none: readonly number[] = [];
const noNames: readonly DnsName[] = [];

/**
 * EDNS options with a form of their own: client subnet, cookie, keepalive, key tag, extended error and its language, report channel,
 * filtering (IANA DNS EDNS0 option codes). They are between a resolver and its server (RFC 6891 §6.1.1), and no part of multicast DNS.
 */
const structuredOptions = new Set([8, 10, 11, 14, 15, 18, 22, 23, 24, 25]);

function uint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}
