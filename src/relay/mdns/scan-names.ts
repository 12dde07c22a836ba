/** Names of a packet as numbers: what they are about, and the hashes that they have as names that were read. Makes no objects. */
import { ContentHash } from "../dns/content-hash.ts";
import { nameLimit } from "../dns/dns-name.ts";
import { pointerChainLimit } from "../dns/read-name.ts";

/** Longer packets are left to those who take their time. */
export const longestScanned = 1_536;

/** What the last labels of a name make it. */
const form = { other: 0, local: 1, tcp: 2, udp: 3, host: 4, service: 5 } as const;

const namesAtMost = 256;
const numberBits = 8;
const lastPacket = 2 ** (31 - numberBits) - 1;
/** The name without labels. */
const root = 0;
const none = -1;
const labelsAtMost = 16;
const servicesKept = 256;

const hash = new ContentHash();

/**
 * Each place that a name was read from is known by number until the next packet. What is refused here may still be a good
 * name; what is taken, `NameReader` takes too.
 */
export class NameScanner {
  /** Where the name that was read last ended. */
  end = 0;
  /** By number, the hash as `ReadName` has it. */
  readonly high = new Int32Array(namesAtMost);
  readonly low = new Int32Array(namesAtMost);
  /** By number, as `aboutName` says it. */
  readonly about: (string | undefined)[] = Array.from<undefined>({ length: namesAtMost });
  private readonly forms = new Uint8Array(namesAtMost);
  private readonly depths = new Uint8Array(namesAtMost);
  private readonly wireLengths = new Uint16Array(namesAtMost);
  private readonly hops = new Uint8Array(namesAtMost);
  /** By place in the packet: its number and the name's. */
  private readonly known = new Int32Array(longestScanned);
  private readonly places = new Uint16Array(labelsAtMost);
  private readonly services = Array.from({ length: servicesKept }, () => "");
  private bytes: Uint8Array = new Uint8Array();
  private packet = 0;
  private count = 1;

  constructor() {
    hash.reset();
    this.high[root] = hash.high;
    this.low[root] = hash.low;
    this.wireLengths[root] = 1;
  }

  /** At most `longestScanned` bytes. */
  open(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.count = root + 1;
    this.packet += 1;
    if (this.packet <= lastPacket) return;
    this.known.fill(0);
    this.packet = 1;
  }

  /** The number of the name at `start`, or -1. Names must be read in the order in which they stand. */
  read(start: number): number {
    const { bytes, places } = this;
    let offset = start;
    let labels = 0;
    let length = 1;
    let name: number = root;
    let hops = 0;
    for (;;) {
      if (offset >= bytes.length) return none;
      const size = bytes[offset] ?? 0;
      if (size === 0) {
        this.end = offset + 1;
        break;
      }
      if (size >= 0xc0) {
        const target = ((size & 0x3f) << 8) | (bytes[offset + 1] ?? 0);
        // A place is known when its name has ended, which therefore ends before this one begins.
        if (offset + 1 >= bytes.length || target >= start) return none;
        const known = this.known[target] ?? 0;
        if (known >> numberBits !== this.packet) return none;
        name = known & (namesAtMost - 1);
        hops = (this.hops[name] ?? 0) + 1;
        if (hops > pointerChainLimit) return none;
        this.end = offset + 2;
        break;
      }
      length += size + 1;
      if (size > 63 || length > nameLimit || labels === labelsAtMost) return none;
      places[labels] = offset;
      labels += 1;
      offset += size + 1;
    }
    if (this.count + labels > namesAtMost) return none;
    for (let index = labels - 1; index >= 0; index -= 1) {
      name = this.add(places[index] ?? 0, name);
      this.hops[name] = hops;
    }
    return (this.wireLengths[name] ?? 0) > nameLimit ? none : name;
  }

  private add(place: number, rest: number): number {
    const { bytes, count: name } = this;
    const size = bytes[place] ?? 0;
    this.count = name + 1;
    hash.reset();
    hash.addNumber(this.high[rest] ?? 0);
    hash.addNumber(this.low[rest] ?? 0);
    hash.addFoldedBytes(bytes, place + 1, place + 1 + size);
    this.high[name] = hash.high;
    this.low[name] = hash.low;
    this.wireLengths[name] = (this.wireLengths[rest] ?? 0) + size + 1;
    const depth = (this.depths[rest] ?? 0) + 1;
    this.depths[name] = depth;
    this.known[place] = (this.packet << numberBits) | name;
    const restForm = this.forms[rest] ?? form.other;
    if (depth > 3 || (depth === 3 && restForm === form.host)) {
      this.forms[name] = restForm;
      this.about[name] = this.about[rest];
      return name;
    }
    const found = this.formOf(place, depth, restForm);
    this.forms[name] = found;
    this.about[name] = found === form.host ? "host" : found === form.service ? this.serviceAt(place, restForm) : undefined;
    return name;
  }

  private formOf(place: number, depth: number, rest: number): number {
    const { bytes } = this;
    if (depth === 1) return isText(bytes, place, "local") ? form.local : form.other;
    if (depth === 2) {
      if (rest !== form.local) return form.other;
      if (bytes[place + 1] !== underscore) return form.host;
      return isText(bytes, place, "_tcp") ? form.tcp : isText(bytes, place, "_udp") ? form.udp : form.other;
    }
    return (rest === form.tcp || rest === form.udp) && isServiceLabel(bytes, place) ? form.service : form.other;
  }

  /** `_hap._tcp`, mostly as it was made before. */
  private serviceAt(place: number, protocol: number): string {
    const { bytes, services } = this;
    const size = bytes[place] ?? 0;
    const end = protocol === form.tcp ? "._tcp" : "._udp";
    const at = (this.low[this.count - 1] ?? 0) & (servicesKept - 1);
    const kept = services[at] ?? "";
    if (kept.length === size + end.length && kept.endsWith(end) && startsAs(kept, bytes, place)) return kept;
    const made = String.fromCharCode(...bytes.subarray(place + 1, place + 1 + size)) + end;
    services[at] = made;
    return made;
  }
}

const underscore = 0x5f;

function isText(bytes: Uint8Array, place: number, text: string): boolean {
  return bytes[place] === text.length && startsAs(text, bytes, place);
}

/** Whether the text begins with the label. */
function startsAs(text: string, bytes: Uint8Array, place: number): boolean {
  const size = bytes[place] ?? 0;
  for (let index = 0; index < size; index += 1) if (text.charCodeAt(index) !== bytes[place + 1 + index]) return false;
  return true;
}

/** As in about-name.ts: in small letters, and not `_dns-sd`, which speaks of all types. */
function isServiceLabel(bytes: Uint8Array, place: number): boolean {
  const end = place + 1 + (bytes[place] ?? 0);
  if (bytes[place + 1] !== underscore || isText(bytes, place, "_dns-sd")) return false;
  for (let index = place + 2; index < end; index += 1) {
    const code = bytes[index] ?? 0;
    const fine = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === underscore;
    if (!fine) return false;
  }
  return true;
}
