/**
 * Most messages of mDNS hold nothing that needs care. Those are checked, hashed and told what they are about in one go
 * over their bytes, without an object made: a third of what reading them into records takes.
 */
import { ContentHash } from "../dns/content-hash.ts";
import { recordType } from "../dns/dns-message.ts";
import { questionMark, sections, wholeHash } from "../dns/hash-message.ts";
import { endOfBitmaps, endOfTexts } from "../dns/rdata-layout.ts";
import { heartbeatService } from "../election/heartbeat.ts";
import { longestScanned, NameScanner } from "./scan-names.ts";

/** Holds until the next message is scanned. */
export interface PlainMessage {
  readonly response: boolean;
  /** As `hashMessage` of the message that was read. */
  readonly content: number;
  /** What each question and record is about, as `aboutName` says it of its name; the first `partCount` count. */
  readonly parts: readonly string[];
  readonly partCount: number;
  /** Where the data of A and AAAA records begins, and how long it is; the first `addressCount` count. */
  readonly addresses: Uint16Array;
  readonly addressSizes: Uint8Array;
  readonly addressCount: number;
  /** Where the class of a question begins that has QU; the first `unicastCount` count. */
  readonly unicastAt: Uint16Array;
  readonly unicastCount: number;
}

const headerLength = 12;
const partsAtMost = 64;
const topBit = 0x8000;
const responseFlag = 0x8000;
/** Opcode and response code. */
const otherKinds = 0x780f;
/** Class CH: A is something else there. */
const chaos = 3;

const item = new ContentHash();
const names = new NameScanner();

class MessageScanner implements PlainMessage {
  response = false;
  content = 0;
  readonly parts = Array.from({ length: partsAtMost }, () => "");
  partCount = 0;
  readonly addresses = new Uint16Array(partsAtMost);
  readonly addressSizes = new Uint8Array(partsAtMost);
  addressCount = 0;
  readonly unicastAt = new Uint16Array(partsAtMost);
  unicastCount = 0;
  private bytes: Uint8Array = new Uint8Array();
  private offset = 0;
  private high = 0;
  private low = 0;

  scan(bytes: Uint8Array): boolean {
    if (bytes.length < headerLength || bytes.length > longestScanned) return false;
    const flags = uint16(bytes, 2);
    const asked = uint16(bytes, 4);
    const answers = uint16(bytes, 6);
    const authority = uint16(bytes, 8);
    const additional = uint16(bytes, 10);
    const partCount = asked + answers + authority + additional;
    const response = (flags & responseFlag) !== 0;
    if ((flags & otherKinds) !== 0 || partCount === 0 || partCount > partsAtMost) return false;
    // A probe.
    if (!response && authority > 0) return false;
    this.bytes = bytes;
    this.offset = headerLength;
    this.partCount = 0;
    this.addressCount = 0;
    this.unicastCount = 0;
    this.high = 0;
    this.low = 0;
    names.open(bytes);
    for (let index = 0; index < asked; index += 1) if (!this.question()) return false;
    for (let index = 0; index < answers; index += 1) if (!this.record(sections.answer)) return false;
    for (let index = 0; index < authority; index += 1) if (!this.record(sections.authority)) return false;
    const last = response ? sections.answer : sections.additional;
    for (let index = 0; index < additional; index += 1) if (!this.record(last)) return false;
    if (this.offset !== bytes.length) return false;
    this.response = response;
    this.content = wholeHash({ response, id: uint16(bytes, 0), high: this.high, low: this.low });
    return true;
  }

  private question(): boolean {
    const { bytes } = this;
    const name = names.read(this.offset);
    const at = names.end;
    if (name < 0 || at + 4 > bytes.length || !this.isAbout(name)) return false;
    const classField = uint16(bytes, at + 2);
    if ((classField & topBit) !== 0) {
      this.unicastAt[this.unicastCount] = at + 2;
      this.unicastCount += 1;
    }
    this.begin(name);
    item.addNumber(uint16(bytes, at) + questionMark);
    item.addNumber(classField & ~topBit);
    this.add();
    this.offset = at + 4;
    return true;
  }

  private record(section: number): boolean {
    const { bytes } = this;
    const name = names.read(this.offset);
    const at = names.end;
    const dataStart = at + 10;
    if (name < 0 || dataStart > bytes.length || !this.isAbout(name)) return false;
    const end = dataStart + uint16(bytes, at + 8);
    if (end > bytes.length) return false;
    const type = uint16(bytes, at);
    const classField = uint16(bytes, at + 2);
    const dnsClass = classField & ~topBit;
    this.begin(name);
    item.addNumber(type);
    item.addNumber(classField === dnsClass ? dnsClass : dnsClass + questionMark);
    item.addNumber(uint16(bytes, at + 4) === 0 && uint16(bytes, at + 6) === 0 ? section : -section);
    if (type === recordType.A && dnsClass === chaos) return false;
    if (!this.data(type, dataStart, { end, about: names.about[name] })) return false;
    this.add();
    this.offset = end;
    return true;
  }

  /** Types that make up nearly all of mDNS; others are left to those who take their time. */
  private data(type: number, start: number, { end, about }: Surroundings): boolean {
    const { bytes } = this;
    switch (type) {
      case recordType.A:
      case recordType.AAAA: {
        const size = type === recordType.A ? 4 : 16;
        if (end - start !== size) return false;
        this.addresses[this.addressCount] = start;
        this.addressSizes[this.addressCount] = size;
        this.addressCount += 1;
        break;
      }
      case recordType.TXT:
        if (start === end || endOfTexts(bytes, start, end) !== end) return false;
        break;
      case recordType.PTR: {
        const target = names.read(start);
        // To an instance of the same service: what else pointers say is looked at closely.
        if (target < 0 || names.end !== end || about === "host" || names.about[target] !== about) return false;
        this.addName(target);
        return true;
      }
      case recordType.SRV: {
        const target = names.read(start + 6);
        if (target < 0 || names.end !== end || names.about[target] === heartbeatService) return false;
        item.addBytes(bytes, start, start + 6);
        this.addName(target);
        return true;
      }
      case recordType.NSEC: {
        const next = names.read(start);
        const { end: bitmaps } = names;
        if (next < 0 || bitmaps > end || endOfBitmaps(bytes, bitmaps, end) !== end) return false;
        this.addName(next);
        item.addBytes(bytes, bitmaps, end);
        return true;
      }
      default:
        return false;
    }
    item.addBytes(bytes, start, end);
    return true;
  }

  private isAbout(name: number): boolean {
    const about = names.about[name];
    if (about === undefined || about === heartbeatService) return false;
    this.parts[this.partCount] = about;
    this.partCount += 1;
    return true;
  }

  private begin(name: number): void {
    item.reset();
    this.addName(name);
  }

  private addName(name: number): void {
    item.addNumber(names.high[name] ?? 0);
    item.addNumber(names.low[name] ?? 0);
  }

  private add(): void {
    item.finish();
    this.high = (this.high + item.high) | 0;
    this.low = (this.low + item.low) | 0;
  }
}

interface Surroundings {
  readonly end: number;
  readonly about: string | undefined;
}

const scanner = new MessageScanner();

/**
 * Undefined for what is no message, and for any that is not plain: probes, bytes after the message, names and types out of
 * the common run, heartbeats of relays. What is scanned, `readMessage` reads, without faults and with nothing to mend.
 */
export function scanMessage(bytes: Uint8Array): PlainMessage | undefined {
  return scanner.scan(bytes) ? scanner : undefined;
}

function uint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}
