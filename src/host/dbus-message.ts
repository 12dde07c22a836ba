/** D-Bus messages as bytes (D-Bus Specification, "Message Protocol" and "Type System"). Enough to call methods with strings and to read anything. */
import { AerialError } from "../core/errors.ts";

/** What was read: structs and arrays are arrays, dictionaries maps; a variant is what it holds. */
export type DbusValue = string | number | bigint | boolean | readonly DbusValue[] | ReadonlyMap<DbusValue, DbusValue>;

export interface DbusMessage {
  readonly type: "call" | "return" | "error" | "signal";
  readonly serial: number;
  readonly replySerial?: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly body: readonly DbusValue[];
}

export interface DbusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** String arguments. */
  readonly arguments?: readonly string[];
}

/** Far above what BlueZ sends; the specification allows 128 MiB. */
const lengthLimit = 8 * 1024 * 1024;
/** The specification allows 32 nested arrays and 32 nested structs. */
const depthLimit = 64;
const fixedHeader = 16;
const noAutoStart = 2;
const messageTypes = [undefined, "call", "return", "error", "signal"] as const;

/** A method call. The bus is told not to start the destination for it. */
export function encodeCall(call: DbusCall, serial: number): Uint8Array {
  const strings = call.arguments ?? [];
  const body = join(4, strings.map(encodeString));
  const fields = join(8, [
    encodeField(1, "o", encodeString(call.path)),
    encodeField(2, "s", encodeString(call.interface)),
    encodeField(3, "s", encodeString(call.member)),
    encodeField(6, "s", encodeString(call.destination)),
    ...(strings.length === 0 ? [] : [encodeField(8, "g", encodeSignature("s".repeat(strings.length)))]),
  ]);
  const start = new DataView(new ArrayBuffer(fixedHeader));
  start.setUint8(0, 0x6c);
  start.setUint8(1, 1);
  start.setUint8(2, noAutoStart);
  start.setUint8(3, 1);
  start.setUint32(4, body.length, true);
  start.setUint32(8, serial, true);
  start.setUint32(12, fields.length, true);
  return join(8, [concat([new Uint8Array(start.buffer), fields]), body]);
}

/**
 * The length of the message that `bytes` begins with, or undefined when that is not known yet. Throws `host.bluez`
 * for what is no message, or too long a one.
 */
export function messageLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < fixedHeader) return undefined;
  const littleEndian = isLittleEndian(bytes);
  const view = viewOf(bytes);
  const length = align(fixedHeader + view.getUint32(12, littleEndian), 8) + view.getUint32(4, littleEndian);
  if (length > lengthLimit) throw malformed("message too long");
  return length;
}

/** One whole message. Throws `host.bluez` for what is none. */
export function decodeMessage(bytes: Uint8Array): DbusMessage {
  const littleEndian = isLittleEndian(bytes);
  const reader = createReader(bytes, littleEndian);
  const [, type, , , , serial] = reader.values("yyyyuu");
  const [fields] = reader.values("a(yv)");
  reader.align(8);
  const header = new Map<number, DbusValue>();
  for (const field of Array.isArray(fields) ? fields : []) if (Array.isArray(field)) header.set(Number(field[0]), field[1]);
  const kind = messageTypes[Number(type)];
  if (kind === undefined || typeof serial !== "number") throw malformed("unknown message type");
  const text = (code: number): string | undefined => {
    const value = header.get(code);
    return typeof value === "string" ? value : undefined;
  };
  const optional = { path: text(1), interface: text(2), member: text(3), errorName: text(4) };
  const replySerial = header.get(5);
  return {
    type: kind,
    serial,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    ...(typeof replySerial === "number" ? { replySerial } : {}),
    body: reader.values(text(8) ?? ""),
  };
}

interface Reader {
  /** One value for each complete type of the signature. */
  values(signature: string): readonly DbusValue[];
  align(boundary: number): void;
}

function createReader(bytes: Uint8Array, littleEndian: boolean): Reader {
  const view = viewOf(bytes);
  const cursor = { at: 0 };

  const take = (length: number, boundary: number): number => {
    const start = align(cursor.at, boundary);
    if (start + length > bytes.length) throw malformed("message ends early");
    cursor.at = start + length;
    return start;
  };

  const text = (length: number): string => {
    const start = take(length + 1, 1);
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString("utf8");
  };

  const uint32 = (): number => view.getUint32(take(4, 4), littleEndian);

  const array = (element: string, depth: number): DbusValue => {
    const length = uint32();
    take(0, alignmentOf(element));
    const end = cursor.at + length;
    if (end > bytes.length) throw malformed("array ends early");
    const values: DbusValue[] = [];
    while (cursor.at < end) values.push(value(element, depth));
    if (cursor.at !== end) throw malformed("array of another length");
    if (!element.startsWith("{")) return values;
    return new Map(values.map((entry) => (Array.isArray(entry) ? [entry[0], entry[1]] : [entry, entry])));
  };

  const value = (type: string, depth: number): DbusValue => {
    if (depth > depthLimit) throw malformed("nested too deeply");
    switch (type.charAt(0)) {
      case "y":
        return view.getUint8(take(1, 1));
      case "b":
        return uint32() !== 0;
      case "n":
        return view.getInt16(take(2, 2), littleEndian);
      case "q":
        return view.getUint16(take(2, 2), littleEndian);
      case "i":
        return view.getInt32(take(4, 4), littleEndian);
      case "u":
      case "h":
        return uint32();
      case "x":
        return view.getBigInt64(take(8, 8), littleEndian);
      case "t":
        return view.getBigUint64(take(8, 8), littleEndian);
      case "d":
        return view.getFloat64(take(8, 8), littleEndian);
      case "s":
      case "o":
        return text(uint32());
      case "g":
        return text(view.getUint8(take(1, 1)));
      case "v":
        return variant(depth);
      case "a":
        return array(type.slice(1), depth + 1);
      case "(":
      case "{":
        return struct(splitSignature(type.slice(1, -1)), depth + 1);
      default:
        throw malformed("unknown type");
    }
  };

  const struct = (members: readonly string[], depth: number): DbusValue => {
    // Nothing may take no bytes at all: an array of it would never end.
    if (members.length === 0) throw malformed("empty struct");
    take(0, 8);
    return members.map((member) => value(member, depth));
  };

  const variant = (depth: number): DbusValue => {
    const [type, ...more] = splitSignature(text(view.getUint8(take(1, 1))));
    if (type === undefined || more.length > 0) throw malformed("variant without exactly one type");
    return value(type, depth + 1);
  };

  return {
    values: (signature) => splitSignature(signature).map((type) => value(type, 0)),
    align: (boundary) => void take(0, boundary),
  };
}

/** The complete types that a signature is made of. */
function splitSignature(signature: string): readonly string[] {
  const types: string[] = [];
  let from = 0;
  let depth = 0;
  for (let at = 0; at < signature.length; at += 1) {
    const code = signature[at] ?? "";
    if (code === "(" || code === "{") depth += 1;
    if (code === ")" || code === "}") depth -= 1;
    if (depth < 0) throw malformed("unbalanced signature");
    if (depth > 0 || code === "a") continue;
    types.push(signature.slice(from, at + 1));
    from = at + 1;
  }
  if (from !== signature.length) throw malformed("unfinished signature");
  return types;
}

/** Alignment of the types that have one; all others may begin anywhere. */
const alignments: ReadonlyMap<string, number> = new Map([
  ...["n", "q"].map((type) => [type, 2] as const),
  ...["b", "i", "u", "h", "s", "o", "a"].map((type) => [type, 4] as const),
  ...["x", "t", "d", "(", "{"].map((type) => [type, 8] as const),
]);

function alignmentOf(type: string): number {
  return alignments.get(type.charAt(0)) ?? 1;
}

function encodeString(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, bytes.length, true);
  return concat([new Uint8Array(length.buffer), bytes, Uint8Array.of(0)]);
}

function encodeSignature(signature: string): Uint8Array {
  return Uint8Array.of(signature.length, ...new TextEncoder().encode(signature), 0);
}

/** A header field: its code, and a variant of one type. Both start on four bytes, as `value` needs it. */
function encodeField(code: number, type: string, value: Uint8Array): Uint8Array {
  return Uint8Array.of(code, ...encodeSignature(type), ...value);
}

function isLittleEndian(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x6c) return true;
  if (bytes[0] === 0x42) return false;
  throw malformed("unknown byte order");
}

function malformed(what: string): AerialError {
  return new AerialError("host.bluez", `malformed D-Bus message: ${what}`);
}

function align(at: number, boundary: number): number {
  return Math.ceil(at / boundary) * boundary;
}

/** The parts, each but the first padded to begin on `boundary`. */
function join(boundary: number, parts: readonly Uint8Array[]): Uint8Array {
  return parts.reduce(
    (before, part) => concat([before, new Uint8Array(align(before.length, boundary) - before.length), part]),
    new Uint8Array(),
  );
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
