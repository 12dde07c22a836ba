/** Names in a packet (RFC 1035 §4.1.4), each place read once however many pointers lead there. */
import { ContentHash } from "./content-hash.ts";
import type { DnsName } from "./dns-message.ts";
import { labelKey, nameLimit } from "./dns-name.ts";

/** A name that was read. Suffixes are shared; `labels` and `key` are made when somebody asks, from text and not from the packet. */
export class ReadName implements DnsName {
  readonly label: string;
  readonly rest: ReadName | undefined;
  /** In a packet, uncompressed, in bytes. */
  readonly wireLength: number;
  /** How many labels it has. */
  readonly depth: number;
  /** A hash of its labels as they are written; 0 for names that were not read. */
  readonly mark: number;
  /** What mdns/about-name.ts found it to be about, kept here since names that come again are the same objects. */
  about: string | false | undefined = undefined;
  private cachedLabels: readonly string[] | undefined = undefined;
  private cachedKey: string | undefined = undefined;
  private hashed = false;
  private high = 0;
  private low = 0;

  constructor(label: string, rest: ReadName | undefined, mark = 0) {
    this.label = label;
    this.rest = rest;
    this.mark = mark;
    this.wireLength = rest === undefined ? 1 : label.length + 1 + rest.wireLength;
    this.depth = rest === undefined ? 0 : rest.depth + 1;
  }

  get labels(): readonly string[] {
    if (this.cachedLabels !== undefined) return this.cachedLabels;
    const labels: string[] = this.rest === undefined ? [] : [this.label];
    for (let name = this.rest; name?.rest !== undefined; name = name.rest) labels.push(name.label);
    this.cachedLabels = labels;
    return labels;
  }

  get key(): string {
    if (this.cachedKey !== undefined) return this.cachedKey;
    const { rest } = this;
    if (rest === undefined) return "";
    const key = rest.rest === undefined ? labelKey(this.label) : `${labelKey(this.label)}.${rest.key}`;
    this.cachedKey = key;
    return key;
  }

  /** Feeds `hash` with what is the same for names that differ in case only. */
  feed(hash: ContentHash): void {
    if (!this.hashed) this.computeHash();
    hash.addNumber(this.high);
    hash.addNumber(this.low);
  }

  private computeHash(): void {
    const { rest } = this;
    if (rest !== undefined && !rest.hashed) rest.computeHash();
    nameHash.reset();
    if (rest !== undefined) {
      nameHash.addNumber(rest.high);
      nameHash.addNumber(rest.low);
      nameHash.addFolded(this.label);
    }
    this.high = nameHash.high;
    this.low = nameHash.low;
    this.hashed = true;
  }
}

const nameHash = new ContentHash();
const root = new ReadName("", undefined);

/** A name from elsewhere as one that was read. */
export function toReadName(name: DnsName): ReadName {
  if (name instanceof ReadName) return name;
  let read = root;
  for (const label of name.labels.toReversed()) read = new ReadName(label, read);
  return read;
}

/**
 * Names that came more than once, since most names do: with what was worked out of them, they are not made again. One that
 * has not come before leaves its mark only, so that what comes once, as all does in a flood, is garbage at once. Long names
 * are left out, and bound what the rest can hold on to.
 */
class NamesHeard {
  private readonly marks = new Int32Array(placesForNames);
  private readonly names: (ReadName | undefined)[] = Array.from<undefined>({ length: placesForNames });

  /** The name of the label at `place` and what follows it. */
  take(bytes: Uint8Array, place: number, rest: ReadName): ReadName {
    if (rest.depth >= mostLabelsHeard) return new ReadName(toLabel(bytes, place), rest);
    const mark = markOf(bytes, place, rest);
    const at = (mark ^ (mark >>> 16)) & (placesForNames - 1);
    const known = this.names[at];
    if (known !== undefined && known.rest === rest && isLabel(known.label, bytes, place)) return known;
    const name = new ReadName(toLabel(bytes, place), rest, mark);
    if (this.marks[at] === mark) this.names[at] = name;
    else {
      this.marks[at] = mark;
      if (known !== undefined) this.names[at] = undefined;
    }
    return name;
  }
}

const placesForNames = 1_024;
/** `Living Room._hap._tcp.local` has four; a subtype's instance more. */
const mostLabelsHeard = 6;

/** Whoever sends names made for equal marks gains nothing: what is found is compared. */
function markOf(bytes: Uint8Array, place: number, rest: ReadName): number {
  const end = place + (bytes[place] ?? 0);
  let mark = rest.mark ^ 0x811c_9dc5;
  for (let index = place; index <= end; index += 1) mark = Math.imul(mark ^ (bytes[index] ?? 0), 0x0100_0193);
  return mark;
}

function isLabel(label: string, bytes: Uint8Array, place: number): boolean {
  if (label.length !== bytes[place]) return false;
  for (let index = 0; index < label.length; index += 1) if (label.charCodeAt(index) !== bytes[place + 1 + index]) return false;
  return true;
}

/** By length: for a few bytes, a third of what a Buffer takes to make text of them. */
const codesOf = Array.from({ length: 64 }, (_, length) => Array.from({ length }, () => 0));

function toLabel(bytes: Uint8Array, place: number): string {
  const codes = codesOf[bytes[place] ?? 0] ?? [];
  for (let index = 0; index < codes.length; index += 1) codes[index] = bytes[place + 1 + index] ?? 0;
  // Not spread, which copies them once more.
  return String.fromCharCode.apply(undefined, codes);
}

const nothing = new Uint8Array();
const heard = new NamesHeard();

/** Pointers reach no further (14 bits). */
const reach = 0x4000;
/** Where what is known of a place stands: rounded up, so that no two places share more of the processor's caches than they must. */
const segment = { packet: 0, name: 1, end: 2, targetEnd: 3, hops: 4 } as const;
const segmentSize = 8;
const lastPacket = 0x7fff_ffff;
const headerLength = 12;
/** A chain of pointers may be this long; no name of use has as many labels. */
export const pointerChainLimit = 16;
/** A name of one-byte labels has no more. */
const labelLimit = 128;

/**
 * Reads names of one packet after another. What has been read is kept by its place, so that a packet costs no more than
 * its length, and is forgotten with the next packet.
 *
 * A pointer must lead to a place before the name it stands in, and the labels there must end before that name begins:
 * stricter than RFC 1035, and what dnspython asks. Loops cannot be built from such pointers.
 */
export class NameReader {
  /** Where the name that was read last ended. */
  end = 0;
  /** Why a name could not be read. */
  fault = "";
  /** A pointer in this packet led to where no name had been read. */
  stray = false;
  private bytes: Uint8Array = nothing;
  /** Of this packet. */
  private names: ReadName[] = [];
  /** By place, all of one place together: what `known` finds, counting for the packet of that number only. */
  private readonly segments = new Int32Array(reach * segmentSize);
  private packet = 0;
  private readonly places = new Int32Array(labelLimit * (pointerChainLimit + 2));

  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.stray = false;
    this.names = [];
    this.packet += 1;
    if (this.packet <= lastPacket) return;
    this.segments.fill(0);
    this.packet = 1;
  }

  /** The name at `start`; nothing, and `fault`, if there is none. */
  read(start: number): ReadName | undefined {
    return this.readFrom(start, 0);
  }

  private readFrom(start: number, depth: number): ReadName | undefined {
    const { bytes, places } = this;
    const base = depth * labelLimit;
    let count = 0;
    let offset = start;
    let length = 1;
    let name: ReadName | undefined;
    let end = 0;
    let targetEnd = 0;
    let hops = 0;
    for (;;) {
      name = this.known(offset);
      if (name !== undefined) {
        const at = offset * segmentSize;
        end = this.segments[at + segment.end] ?? 0;
        targetEnd = this.segments[at + segment.targetEnd] ?? 0;
        hops = this.segments[at + segment.hops] ?? 0;
        break;
      }
      const size = bytes[offset];
      if (size === undefined) return this.refuse("a name goes past the end");
      if (size === 0) {
        name = root;
        end = offset + 1;
        break;
      }
      if (size >= 0xc0) {
        const low = bytes[offset + 1];
        if (low === undefined) return this.refuse("a pointer goes past the end");
        const target = ((size & 0x3f) << 8) | low;
        if (target < headerLength || target >= start) return this.refuse("a pointer does not lead back");
        name = this.known(target);
        if (name === undefined) this.stray = true;
        if (depth === pointerChainLimit) return this.refuse("too many pointers in a row");
        name ??= this.readFrom(target, depth + 1);
        if (name === undefined) return undefined;
        const at = target * segmentSize;
        end = offset + 2;
        targetEnd = this.segments[at + segment.end] ?? 0;
        hops = (this.segments[at + segment.hops] ?? 0) + 1;
        if (hops > pointerChainLimit) return this.refuse("too many pointers in a row");
        break;
      }
      if (size > 63) return this.refuse("a label of no known kind");
      length += size + 1;
      if (length > nameLimit) return this.refuse("a name is too long");
      places[base + count] = offset;
      count += 1;
      offset += size + 1;
    }
    if (targetEnd > start) return this.refuse("a pointer leads into its own name");
    this.keep(offset, name, { end, targetEnd, hops });
    for (let index = count - 1; index >= 0; index -= 1) {
      const place = places[base + index] ?? 0;
      name = heard.take(bytes, place, name);
      this.keep(place, name, { end, targetEnd, hops });
    }
    if (name.wireLength > nameLimit) return this.refuse("a name is too long");
    this.end = end;
    return name;
  }

  private known(place: number): ReadName | undefined {
    const at = place * segmentSize;
    return this.segments[at + segment.packet] === this.packet ? this.names[this.segments[at + segment.name] ?? 0] : undefined;
  }

  private keep(place: number, name: ReadName, { end, targetEnd, hops }: Segment): void {
    if (place >= reach) return;
    const { segments, names } = this;
    const at = place * segmentSize;
    segments[at + segment.packet] = this.packet;
    segments[at + segment.name] = names.length;
    segments[at + segment.end] = end;
    segments[at + segment.targetEnd] = targetEnd;
    segments[at + segment.hops] = hops;
    names.push(name);
  }

  private refuse(fault: string): undefined {
    this.fault = fault;
    return undefined;
  }
}

/** Where the labels at a place and the pointer after them end; where those end that it leads to; how many pointers follow. */
interface Segment {
  readonly end: number;
  readonly targetEnd: number;
  readonly hops: number;
}
