/** The name that udev would give a USB serial port under `/dev/serial/by-id`, without udev. */
import { toPrintable } from "./decode-text.ts";

/** A USB device's identity as sysfs gives it; strings as raw bytes, since udev works on bytes. */
export interface ByIdSource {
  readonly vendorId: string;
  readonly productId: string;
  readonly manufacturer?: Uint8Array;
  readonly product?: Uint8Array;
  readonly serial?: Uint8Array;
  /** `bInterfaceNumber` as sysfs writes it: two hex digits. */
  readonly interfaceNumber: string;
  /** The usb-serial `port_number`; drivers outside usb-serial, such as cdc_acm, have none. */
  readonly port?: number;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Buffer sizes of systemd's udev-builtin-usb_id.c, without the terminating zero. */
const stringLimit = 63;
const serialLimit = 511;

/**
 * `usb-<manufacturer>_<product>[_<serial>]-if<NN>[-port<N>]` by the rules of systemd's 60-serial.rules and usb_id.
 * Undefined when the exact name would hold characters that are not safe to print: a changed name would not be found.
 */
export function byIdName(source: ByIdSource): string | undefined {
  const vendor = source.manufacturer === undefined ? source.vendorId : toUdevName(source.manufacturer, stringLimit);
  const model = source.product === undefined ? source.productId : toUdevName(source.product, stringLimit);
  const serial = source.serial !== undefined && isUdevSerial(source.serial) ? toUdevName(source.serial, serialLimit) : "";
  const port = source.port === undefined ? "" : `-port${source.port}`;
  const name = `usb-${vendor}_${model}${serial === "" ? "" : `_${serial}`}-if${source.interfaceNumber}${port}`;
  // Linux allows 255 bytes in a file name.
  return toPrintable(name) === name && Buffer.byteLength(name) <= 255 ? name : undefined;
}

/** usb_id ignores a serial with anything but ASCII 0x20 to 0x7f, and one with a comma. */
function isUdevSerial(bytes: Uint8Array): boolean {
  return trimEnd(bytes).every((byte) => byte >= 0x20 && byte <= 0x7f && byte !== 0x2c);
}

/** udev_replace_whitespace, then udev_replace_chars without extra allowed characters. */
function toUdevName(bytes: Uint8Array, limit: number): string {
  return replaceForeign(replaceWhitespace(trimEnd(bytes), limit));
}

/** sd_device_get_sysattr_value drops all trailing line ends. */
function trimEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}

/** Drops leading and trailing blanks and turns every run of them into one `_`; reads at most `limit` bytes. */
function replaceWhitespace(bytes: Uint8Array, limit: number): Uint8Array {
  const read = bytes.subarray(0, limit);
  const first = read.findIndex((byte) => !isBlank(byte));
  const out: number[] = [];
  let blank = false;
  for (const byte of first === -1 ? [] : read.subarray(first)) {
    // As isspace(3) in the C locale: vertical tab and form feed too, which at the start are not dropped.
    if (isBlank(byte) || byte === 0x0b || byte === 0x0c) {
      blank = true;
      continue;
    }
    if (blank) out.push(0x5f);
    blank = false;
    out.push(byte);
  }
  return Uint8Array.from(out);
}

/** systemd's WHITESPACE. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** Keeps `[A-Za-z0-9#+.:=@_-]`, `\x` and well-formed UTF-8; every other byte becomes `_`. */
function replaceForeign(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0;
    const ascii = String.fromCharCode(byte);
    if (byte < 0x80 && /[A-Za-z0-9#+.:=@_-]/.test(ascii)) {
      out += ascii;
      at += 1;
    } else if (byte === 0x5c && bytes[at + 1] === 0x78) {
      out += "\\x";
      at += 2;
    } else {
      const character = decodeMultibyte(bytes.subarray(at, at + 4));
      out += character ?? "_";
      at += character === undefined ? 1 : Buffer.byteLength(character);
    }
  }
  return out;
}

/** The character of two to four bytes that `bytes` begins with, if udev takes it for valid (no surrogate, no noncharacter). */
function decodeMultibyte(bytes: Uint8Array): string | undefined {
  const first = bytes[0] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  if (length === 0 || bytes.length < length) return undefined;
  try {
    const character = strictUtf8.decode(bytes.subarray(0, length));
    const code = character.codePointAt(0) ?? 0;
    const isNoncharacter = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe;
    return isNoncharacter ? undefined : character;
  } catch {
    return undefined;
  }
}
