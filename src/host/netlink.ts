/** Netlink messages and attributes as bytes (include/uapi/linux/netlink.h); all numbers in the machine's own order. */
import { endianness } from "node:os";

const littleEndian = endianness() === "LE";
const messageHeader = 16;
const attributeHeader = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER share the type's field. */
const attributeTypeMask = 0x3fff;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export interface NetlinkAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** The messages in one datagram, in order; what follows a malformed one is left out. Never throws. */
export function parseMessages(bytes: Uint8Array): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  const view = viewOf(bytes);
  for (let at = 0; at + messageHeader <= bytes.length;) {
    const length = view.getUint32(at, littleEndian);
    if (length < messageHeader || at + length > bytes.length) break;
    messages.push({
      type: view.getUint16(at + 4, littleEndian),
      flags: view.getUint16(at + 6, littleEndian),
      sequence: view.getUint32(at + 8, littleEndian),
      payload: bytes.subarray(at + messageHeader, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** The attributes in a payload, in order; what follows a malformed one is left out. Never throws. */
export function parseAttributes(bytes: Uint8Array): readonly NetlinkAttribute[] {
  const attributes: NetlinkAttribute[] = [];
  const view = viewOf(bytes);
  for (let at = 0; at + attributeHeader <= bytes.length;) {
    const length = view.getUint16(at, littleEndian);
    if (length < attributeHeader || at + length > bytes.length) break;
    const type = view.getUint16(at + 2, littleEndian) & attributeTypeMask;
    attributes.push({ type, value: bytes.subarray(at + attributeHeader, at + length) });
    at += align(length);
  }
  return attributes;
}

/** One message. */
export function encodeMessage(request: NetlinkRequest): Uint8Array {
  const length = messageHeader + request.payload.length;
  const bytes = new Uint8Array(align(length));
  const view = viewOf(bytes);
  view.setUint32(0, length, littleEndian);
  view.setUint16(4, request.type, littleEndian);
  view.setUint16(6, request.flags, littleEndian);
  view.setUint32(8, request.sequence, littleEndian);
  bytes.set(request.payload, messageHeader);
  return bytes;
}

/** One attribute, padded. */
export function encodeAttribute(type: number, value: Uint8Array): Uint8Array {
  const length = attributeHeader + value.length;
  const bytes = new Uint8Array(align(length));
  const view = viewOf(bytes);
  view.setUint16(0, length, littleEndian);
  view.setUint16(2, type, littleEndian);
  bytes.set(value, attributeHeader);
  return bytes;
}

/** An unsigned 16-bit number; undefined where the value is shorter. */
export function toU16(value: Uint8Array | undefined): number | undefined {
  return value === undefined || value.length < 2 ? undefined : viewOf(value).getUint16(0, littleEndian);
}

/** An unsigned 32-bit number; undefined where the value is shorter. */
export function toU32(value: Uint8Array | undefined): number | undefined {
  return value === undefined || value.length < 4 ? undefined : viewOf(value).getUint32(0, littleEndian);
}

/** A signed 32-bit number; undefined where the value is shorter. */
export function toI32(value: Uint8Array | undefined): number | undefined {
  return value === undefined || value.length < 4 ? undefined : viewOf(value).getInt32(0, littleEndian);
}

function align(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
