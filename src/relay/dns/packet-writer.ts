/** Writes packets, names compressed (RFC 1035 §4.1.4), and can take back what it wrote last. */
import { type DnsSection, recordType } from "./dns-message.ts";
import { endOfName, part, rdataLayout } from "./rdata-layout.ts";
import { pointerChainLimit, type ReadName } from "./read-name.ts";

export const headerLength = 12;
/** Longer than a packet can be, so that one record too many is noticed after it was written and not before. */
const room = 0x1_0000 + 0x1_0000 + 0x1000;
/** Pointers reach no further (14 bits). */
const reach = 0x4000;
const truncatedFlag = 0x0200;

/** No datagram holds more: 65535 less the headers of IPv4 and UDP. */
export const datagramLimit = 65_507;

/** A name, by way of the names it ends in, and where it has been written. Case counts: what is copied stays as it is. */
interface WrittenName {
  /** 0 where it has not been written, or too far away to point to. */
  offset: number;
  /** Pointers that follow from there. */
  hops: number;
  longer: Map<string, WrittenName> | undefined;
}

/** A record to write. Its data may point to other places of `source`; in the packet it will be right again. */
export interface WrittenRecord {
  readonly name: ReadName;
  /** Type, class and TTL as they are in `source` right before the length of the data. */
  readonly source: Uint8Array;
  readonly type: number;
  readonly dataStart: number;
  readonly end: number;
  readonly dataNames: readonly ReadName[];
}

export interface WriterMark {
  readonly length: number;
  readonly names: number;
}

const countOffset = { question: 4, answer: 6, authority: 8, additional: 10 } as const;

export class PacketWriter {
  length = 0;
  private readonly bytes = new Uint8Array(room);
  private names: WrittenName = { offset: 0, hops: 0, longer: undefined };
  private known: WrittenName[] = [];
  /** So that a name to which thousands point is looked up by its labels once. */
  private seen = new Map<ReadName, WrittenName>();

  /** Begins a packet with the id and the flags of another. */
  begin(header: Uint8Array): void {
    this.names = { offset: 0, hops: 0, longer: undefined };
    this.known = [];
    this.seen = new Map();
    this.bytes.fill(0, 0, headerLength);
    this.bytes.set(header.subarray(0, 4));
    this.length = headerLength;
  }

  /** Whether nothing is in it but a header. */
  get empty(): boolean {
    return this.length === headerLength;
  }

  mark(): WriterMark {
    return { length: this.length, names: this.known.length };
  }

  /** Takes back what was written since; it must not have been counted yet. */
  rollBack(mark: WriterMark): void {
    this.length = mark.length;
    for (const name of this.known.splice(mark.names)) name.offset = 0;
  }

  addQuestion(name: ReadName, type: number, dnsClass: number): void {
    this.writeName(name);
    this.write16(type);
    this.write16(dnsClass);
  }

  addRecord(record: WrittenRecord): void {
    const { source, type, dataStart, end } = record;
    this.writeName(record.name);
    this.copy(source, dataStart - 10, dataStart - 2);
    const lengthAt = this.length;
    this.length += 2;
    // RFC 6763 §6.1: TXT data has at least one byte.
    if (type === recordType.TXT && dataStart === end) this.write8(0);
    else if (record.dataNames.length === 0) this.copy(source, dataStart, end);
    else this.copyData(record);
    const dataLength = this.length - lengthAt - 2;
    this.bytes[lengthAt] = dataLength >>> 8;
    this.bytes[lengthAt + 1] = dataLength & 0xff;
  }

  /** What was added last belongs to the packet. */
  count(section: DnsSection | "question"): void {
    const at = countOffset[section];
    const count = (((this.bytes[at] ?? 0) << 8) | (this.bytes[at + 1] ?? 0)) + 1;
    this.bytes[at] = count >>> 8;
    this.bytes[at + 1] = count & 0xff;
  }

  setTruncated(): void {
    this.bytes[2] = (this.bytes[2] ?? 0) | (truncatedFlag >>> 8);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private copyData({ source, type, dataStart, end, dataNames }: WrittenRecord): void {
    let offset = dataStart;
    let nameIndex = 0;
    for (const step of rdataLayout(type)) {
      const name = step === part.name ? dataNames[nameIndex] : undefined;
      const next = name === undefined ? (step >= 0 ? offset + step : end) : endOfName(source, offset);
      if (name === undefined) this.copy(source, offset, next);
      else {
        this.writeName(name);
        nameIndex += 1;
      }
      offset = next;
    }
  }

  /** A pointer to the longest ending that has been written, after the labels that have not. */
  private writeName(name: ReadName): void {
    const { seen } = this;
    const fresh: ReadName[] = [];
    let ending = name;
    let known = seen.get(ending);
    while (ending.rest !== undefined && !canPointTo(known)) {
      fresh.push(ending);
      ending = ending.rest;
      known = seen.get(ending);
    }
    // Names that are spelled alike need not be the same object.
    let written = ending.rest === undefined ? this.names : (known ?? this.names);
    let target = canPointTo(known) ? known : undefined;
    let toWrite = fresh.length;
    const endings: WrittenName[] = [];
    for (let index = fresh.length - 1; index >= 0; index -= 1) {
      const label = fresh[index]?.label ?? "";
      written.longer ??= new Map();
      let longer = written.longer.get(label);
      if (longer === undefined) {
        longer = { offset: 0, hops: 0, longer: undefined };
        written.longer.set(label, longer);
      }
      written = longer;
      endings[index] = written;
      if (canPointTo(written)) {
        target = written;
        toWrite = index;
      }
    }
    const hops = target === undefined ? 0 : target.hops + 1;
    for (let index = 0; index < fresh.length; index += 1) {
      const part = fresh[index];
      const place = endings[index];
      if (part === undefined || place === undefined) continue;
      seen.set(part, place);
      if (index >= toWrite) continue;
      if (place.offset === 0 && this.length < reach) {
        place.offset = this.length;
        place.hops = hops;
        this.known.push(place);
      }
      this.writeLabel(part.label);
    }
    if (target === undefined) this.write8(0);
    else this.write16(0xc000 | target.offset);
  }

  private writeLabel(label: string): void {
    this.write8(label.length);
    for (let index = 0; index < label.length; index += 1) this.write8(label.charCodeAt(index));
  }

  private copy(source: Uint8Array, start: number, end: number): void {
    this.bytes.set(source.subarray(start, end), this.length);
    this.length += end - start;
  }

  private write16(value: number): void {
    this.write8(value >>> 8);
    this.write8(value & 0xff);
  }

  private write8(value: number): void {
    this.bytes[this.length] = value;
    this.length += 1;
  }
}

function canPointTo(name: WrittenName | undefined): name is WrittenName {
  return name !== undefined && name.offset > 0 && name.hops < pointerChainLimit;
}
