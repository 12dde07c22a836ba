/** The head of an HTTP message in one datagram (HTTPU), as strictly as RFC 9112 has it. */

/** Names are in lower case, values latin1 and without the white space around them. A name that came twice has both values, joined by a comma (RFC 9110 §5.3). */
export interface HttpHead {
  readonly startLine: string;
  readonly headers: ReadonlyMap<string, string>;
  /** The head as a strict parser takes it: a view of the packet, or a copy where line ends had to be made whole. */
  readonly bytes: Uint8Array;
}

/** The largest UDP payload. */
const largestPacket = 65_507;
/** What Python's `http.client` takes; Node takes more. */
const mostHeaders = 100;

const carriageReturn = 13;

/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Reads up to the first empty line; what follows is left out, such as the NUL that some send. Lines may end in LF alone and the
 * empty line may be missing, since devices do both, but strict parsers refuse it: `bytes` then has it put right. Refused are
 * control characters, a CR without LF, continuation lines (RFC 9112 §5.2 lets servers refuse them), white space before a colon,
 * and headers named in `single` that come twice, since readers differ in which one they believe.
 */
export function readHttpHead(packet: Uint8Array, single: ReadonlySet<string>): HttpHead | { readonly fault: string } {
  if (packet.length > largestPacket) return { fault: "longer than a datagram" };
  const text = Buffer.from(packet.buffer, packet.byteOffset, packet.length).toString("latin1");
  const headers = new Map<string, string>();
  let startLine: string | undefined;
  let count = 0;
  let bare = false;
  let at = 0;
  while (at < packet.length) {
    const end = text.indexOf("\n", at);
    if (end < 0) return { fault: "ends within a line" };
    const crlf = end > at && packet[end - 1] === carriageReturn;
    bare ||= !crlf;
    const line = text.slice(at, crlf ? end - 1 : end);
    if (hasControl(packet, at, at + line.length)) return { fault: "control character in a line" };
    at = end + 1;
    if (startLine === undefined) {
      startLine = line;
      continue;
    }
    if (line === "") return { startLine, headers, bytes: bare ? withWholeLines(text.slice(0, at)) : packet.subarray(0, at) };
    count += 1;
    if (count > mostHeaders) return { fault: `more than ${mostHeaders} headers` };
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (!token.test(name)) return { fault: "a header without a name" };
    const value = trimBlanks(line.slice(colon + 1));
    const before = headers.get(name);
    if (before !== undefined && single.has(name)) return { fault: `${name} twice` };
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  if (startLine === undefined) return { fault: "empty" };
  return { startLine, headers, bytes: withWholeLines(`${text}\n`) };
}

/** All but HTAB below space, and DEL (RFC 9110 §5.5). */
function hasControl(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index] ?? 0;
    if ((byte < 0x20 && byte !== 9) || byte === 0x7f) return true;
  }
  return false;
}

/** Without spaces and tabs at both ends; `trim` would take no-break spaces too, which are half a UTF-8 character here. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function withWholeLines(text: string): Uint8Array {
  const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  return Buffer.from(lines.join("\r\n"), "latin1");
}
