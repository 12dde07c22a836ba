/** Of what the data of records is made, so that it can be checked, and names in it be found. */

/** In a layout: a number of bytes, or one of these. */
export const part = {
  /** A name that may be compressed (RFC 6762 §18.14). */
  name: -1,
  /** A length and as many bytes. */
  text: -2,
  /** One or more texts up to the end. */
  texts: -3,
  /** Type bitmaps up to the end (RFC 4034 §4.1.2). */
  bitmaps: -4,
  /** EDNS options up to the end (RFC 6891 §6.1.2). */
  options: -5,
  /** Anything up to the end. */
  rest: -6,
} as const;

type Layout = readonly number[];

const { name, text, texts, bitmaps, options, rest } = part;

/** By type number (IANA DNS parameters); each RFC 1035 if nothing else is said. */
const layouts: readonly (readonly [types: readonly number[], layout: Layout])[] = [
  // A
  [[1], [4]],
  // NS, MD, MF, CNAME, MB, MG, MR, PTR; DNAME (RFC 6672)
  [[2, 3, 4, 5, 7, 8, 9, 12, 39], [name]],
  // SOA
  [[6], [name, name, 20]],
  // HINFO
  [[13], [text, text]],
  // MINFO; RP (RFC 1183)
  [
    [14, 17],
    [name, name],
  ],
  // MX; AFSDB, RT (RFC 1183); KX (RFC 2230)
  [
    [15, 18, 21, 36],
    [2, name],
  ],
  // TXT
  [[16], [texts]],
  // KEY (RFC 2535): border routers claim names with it
  [[25], [4, rest]],
  // PX (RFC 2163)
  [[26], [2, name, name]],
  // AAAA (RFC 3596)
  [[28], [16]],
  // SRV (RFC 2782)
  [[33], [6, name]],
  // OPT (RFC 6891)
  [[41], [options]],
  // NSEC (RFC 4034)
  [[47], [name, bitmaps]],
];

const opaque: Layout = [rest];
const layoutOf: readonly (Layout | undefined)[] = Array.from(
  { length: 256 },
  (_, type) => layouts.find(([types]) => types.includes(type))?.[1],
);

/** The parts of a type's data; for types that nobody knows, anything. */
export function rdataLayout(type: number): Layout {
  return layoutOf[type] ?? opaque;
}

/**
 * Types with data of a form that strict parsers hold them to, and that multicast DNS has no use for. WKS, X25, ISDN, NSAP,
 * NSAP-PTR, SIG, GPOS, LOC, NAPTR, CERT, APL, DS to DNSKEY without NSEC, DHCID to SMIMEA, HIP, NINFO, CDS to BRID,
 * SPF, NID to EUI64, TKEY to TSIG, URI, CAA, AVC, AMTRELAY to WALLET, DLV.
 */
const foreignTypes = new Set([
  11, 19, 20, 22, 23, 24, 27, 29, 35, 37, 42, 43, 44, 45, 46, 48, 49, 50, 51, 52, 53, 55, 56, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 99,
  104, 105, 106, 107, 108, 109, 249, 250, 256, 257, 258, 260, 261, 262, 32_769,
]);

const foreignOf: readonly boolean[] = Array.from(layoutOf, (_, type) => foreignTypes.has(type));

/** Whether nothing here can say if data of this type is well formed. */
export function isForeignType(type: number): boolean {
  return foreignOf[type] ?? foreignTypes.has(type);
}

/** No record has these: reserved, and types of questions (RFC 6895 §3.1). */
export function isQuestionType(type: number): boolean {
  return type === 0 || (type >= 251 && type <= 255);
}

/** Where the name at `offset` ends in place: after its root or its pointer. The name has been read before. */
export function endOfName(bytes: Uint8Array, offset: number): number {
  let end = offset;
  for (;;) {
    const size = bytes[end] ?? 0;
    if (size === 0) return end + 1;
    if (size >= 0xc0) return end + 2;
    end += 1 + size;
  }
}

/** Where texts end that are to fill the data up to `end`; past it if they do not. */
export function endOfTexts(bytes: Uint8Array, start: number, end: number): number {
  let offset = start;
  while (offset < end) offset += 1 + (bytes[offset] ?? 0);
  return offset;
}

/** RFC 4034 §4.1.2: windows in order, each of 1 to 32 bytes of which the last is not zero. Returns more than `end` if it is not so. */
export function endOfBitmaps(bytes: Uint8Array, start: number, end: number): number {
  let offset = start;
  let previous = -1;
  while (offset + 2 <= end) {
    const window = bytes[offset] ?? 0;
    const size = bytes[offset + 1] ?? 0;
    const next = offset + 2 + size;
    if (window <= previous || size === 0 || size > 32 || next > end || bytes[next - 1] === 0) return end + 1;
    previous = window;
    offset = next;
  }
  return offset === end ? end : end + 1;
}
