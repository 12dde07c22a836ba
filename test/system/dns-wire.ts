/** DNS messages by hand, and a strict reader: an oracle that shares nothing with the code under test (RFC 1035, RFC 6762). */

export const recordType = { a: 1, ptr: 12, txt: 16, aaaa: 28, srv: 33, opt: 41, nsec: 47, any: 255 } as const;

interface Question {
  readonly name: string;
  readonly type: number;
  /** The QU bit (RFC 6762 5.4). */
  readonly unicast?: boolean;
}

interface ResourceRecord {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  /** The cache-flush bit (RFC 6762 10.2). */
  readonly flush: boolean;
  /** Addresses and names as text, TXT and others as hex. */
  readonly data: string;
}

export interface Message {
  readonly id: number;
  readonly response: boolean;
  readonly truncated: boolean;
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/** A record on its way out: its data in bytes. Names in data are not compressed unless the bytes say so. */
export interface RecordBytes {
  readonly name: string;
  readonly type: number;
  readonly ttl?: number;
  readonly flush?: boolean;
  readonly data: Uint8Array;
}

export interface MessageParts {
  readonly id?: number;
  readonly response?: boolean;
  readonly truncated?: boolean;
  readonly questions?: readonly Question[];
  readonly answers?: readonly RecordBytes[];
  readonly authorities?: readonly RecordBytes[];
  readonly additionals?: readonly RecordBytes[];
}

export function toMessage({ id = 0, response = false, truncated = false, ...parts }: MessageParts): Uint8Array {
  const { questions = [], answers = [], authorities = [], additionals = [] } = parts;
  const flags = (response ? 0x8400 : 0) | (truncated ? 0x0200 : 0);
  const counts = [questions.length, answers.length, authorities.length, additionals.length];
  return join([
    ...[id, flags, ...counts].map(toWord),
    ...questions.flatMap(({ name, type, unicast }) => [toName(name), toWord(type), toWord(unicast === true ? 0x8001 : 1)]),
    ...[...answers, ...authorities, ...additionals].flatMap(toRecord),
  ]);
}

function toRecord({ name, type, ttl = 120, flush = false, data }: RecordBytes): Uint8Array[] {
  return [toName(name), toWord(type), toWord(flush ? 0x8001 : 1), toWord(ttl >>> 16), toWord(ttl & 0xffff), toWord(data.length), data];
}

/** Dots part labels. */
export function toName(name: string): Uint8Array {
  const labels = name.split(".").filter((label) => label !== "");
  const parts = labels.map((label) => Buffer.from(label, "utf8"));
  return join([...parts.flatMap((label) => [Uint8Array.of(label.length), label]), Uint8Array.of(0)]);
}

export function ptr(name: string, target: string, more: Partial<RecordBytes> = {}): RecordBytes {
  return { name, type: recordType.ptr, ttl: 4500, data: toName(target), ...more };
}

export function srv(name: string, { port, target }: { readonly port: number; readonly target: string }): RecordBytes {
  return { name, type: recordType.srv, flush: true, data: join([toWord(0), toWord(0), toWord(port), toName(target)]) };
}

export function txt(name: string, bytes: Uint8Array = Uint8Array.of(0)): RecordBytes {
  return { name, type: recordType.txt, ttl: 4500, flush: true, data: bytes };
}

export function a(name: string, address: string): RecordBytes {
  return { name, type: recordType.a, flush: true, data: Uint8Array.from(address.split(".").map(Number)) };
}

export function aaaa(name: string, address: string): RecordBytes {
  const [head = "", tail = ""] = address.split("::");
  const left = head.split(":").filter((part) => part !== "");
  const right = tail.split(":").filter((part) => part !== "");
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => "0"), ...right];
  return { name, type: recordType.aaaa, flush: true, data: join(groups.map((group) => toWord(Number.parseInt(group, 16)))) };
}

/** A whole service as one announcement: PTR, SRV, TXT and addresses. */
export function announcement(parts: {
  readonly instance: string;
  readonly service?: string;
  readonly addresses: readonly string[];
  readonly ttl?: number;
}): Uint8Array {
  const { instance, service = "_http._tcp.local", addresses, ttl } = parts;
  const more = ttl === undefined ? {} : { ttl };
  const full = `${instance}.${service}`;
  const target = `${instance}-host.local`;
  const answers = [
    ptr(service, full, more),
    { ...srv(full, { port: 80, target }), ...more },
    { ...txt(full), ...more },
    ...addresses.map((address) => Object.assign(address.includes(":") ? aaaa(target, address) : a(target, address), more)),
  ];
  return toMessage({ response: true, answers });
}

/** TXT data of about `size` bytes in strings of 255. */
export function filler(size: number): Uint8Array {
  const strings: Uint8Array[] = [];
  for (let left = size; left > 1; left -= 256) {
    const length = Math.min(left, 256) - 1;
    strings.push(Uint8Array.of(length), new Uint8Array(length).fill(0x78));
  }
  return join(strings);
}

class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

/** Reads every byte. Throws MalformedMessage for all that RFC 1035 does not allow: pointers forward, bytes left over. */
export function readMessage(bytes: Uint8Array): Message {
  const cursor = { at: 12 };
  const word = (at: number): number => {
    const [high, low] = [bytes[at], bytes[at + 1]];
    if (high === undefined || low === undefined) throw new MalformedMessage(`nothing at ${at}`);
    return high * 256 + low;
  };
  const [id, flags] = [word(0), word(2)];
  const questions = Array.from({ length: word(4) }, () => {
    const name = readName(bytes, cursor);
    const [type, klass] = [word(cursor.at), word(cursor.at + 2)];
    cursor.at += 4;
    return { name, type, unicast: (klass & 0x8000) !== 0 };
  });
  const records = (count: number): ResourceRecord[] =>
    Array.from({ length: count }, () => {
      const name = readName(bytes, cursor);
      const { at } = cursor;
      const type = word(at);
      const [ttl, length] = [word(at + 4) * 65536 + word(at + 6), word(at + 8)];
      const end = at + 10 + length;
      if (end > bytes.length) throw new MalformedMessage(`data of ${name} ends at ${end} of ${bytes.length}`);
      cursor.at = at + 10;
      const data = readData({ bytes, cursor, type, end });
      if (cursor.at !== end) throw new MalformedMessage(`data of ${name} (type ${type}) does not fill its length`);
      return { name, type, ttl, flush: (word(at + 2) & 0x8000) !== 0, data };
    });
  const [answers, authorities, additionals] = [records(word(6)), records(word(8)), records(word(10))];
  if (cursor.at !== bytes.length) throw new MalformedMessage(`${bytes.length - cursor.at} bytes after the end`);
  return { id, response: (flags & 0x8000) !== 0, truncated: (flags & 0x0200) !== 0, questions, answers, authorities, additionals };
}

interface Reading {
  readonly bytes: Uint8Array;
  readonly cursor: { at: number };
  readonly type: number;
  readonly end: number;
}

function readData({ bytes, cursor, type, end }: Reading): string {
  const rest = (): Uint8Array => {
    const taken = bytes.subarray(cursor.at, end);
    cursor.at = end;
    return taken;
  };
  switch (type) {
    case recordType.ptr:
      return readName(bytes, cursor);
    case recordType.srv: {
      const port = (bytes[cursor.at + 4] ?? 0) * 256 + (bytes[cursor.at + 5] ?? 0);
      cursor.at += 6;
      return `${port} ${readName(bytes, cursor)}`;
    }
    case recordType.nsec: {
      const name = readName(bytes, cursor);
      return `${name} ${Buffer.from(rest()).toString("hex")}`;
    }
    case recordType.a:
      return rest().join(".");
    case recordType.aaaa:
      return (Buffer.from(rest()).toString("hex").match(/.{4}/g) ?? []).join(":");
    default:
      return Buffer.from(rest()).toString("hex");
  }
}

function readName(bytes: Uint8Array, cursor: { at: number }): string {
  const labels: string[] = [];
  let at = cursor.at;
  let limit = at;
  let jumped = false;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new MalformedMessage("a name runs past the end");
    if (length >= 0xc0) {
      const target = (length & 0x3f) * 256 + (bytes[at + 1] ?? 0);
      if (target >= limit || target < 12) throw new MalformedMessage(`a pointer at ${at} to ${target}`);
      if (!jumped) cursor.at = at + 2;
      jumped = true;
      limit = target;
      at = target;
      continue;
    }
    if (length > 63) throw new MalformedMessage(`a label of type ${length}`);
    if (length === 0) break;
    if (at + 1 + length > bytes.length) throw new MalformedMessage("a label runs past the end");
    labels.push(
      Buffer.from(bytes.subarray(at + 1, at + 1 + length))
        .toString("utf8")
        .replaceAll(".", "\\."),
    );
    at += 1 + length;
  }
  if (!jumped) cursor.at = at + 1;
  return labels.join(".");
}

/** The message, or undefined where it is none. */
export function tryReadMessage(bytes: Uint8Array): Message | undefined {
  try {
    return readMessage(bytes);
  } catch (error) {
    if (error instanceof MalformedMessage) return undefined;
    throw error;
  }
}

export function toWord(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 0xff, value & 0xff);
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
