/**
 * USB/IP as the kernel's vhci_hcd speaks it over an attached socket (Documentation/usb/usbip_protocol.rst, version 1.1.1,
 * and drivers/usb/usbip/usbip_common.h): 48-byte big-endian headers, OUT data behind commands, IN data behind replies.
 */

/** Setup packet of a control transfer (USB 2.0 §9.3). */
export interface ControlSetup {
  readonly requestType: number;
  readonly request: number;
  readonly value: number;
  readonly index: number;
  readonly length: number;
}

export type UsbipCommand =
  | {
      readonly command: "submit";
      readonly sequence: number;
      readonly direction: "in" | "out";
      /** Without the direction bit. */
      readonly endpoint: number;
      /** Bytes wanted (in) or given (out). */
      readonly length: number;
      readonly setup: ControlSetup;
      readonly data: Uint8Array;
    }
  | { readonly command: "unlink"; readonly sequence: number; readonly target: number };

const headerLength = 48;
const commandCodes = { submit: 1, unlink: 2 } as const;
const replyCodes = { submit: 3, unlink: 4 } as const;

/** Cuts the kernel's byte stream into commands. Throws on a command code that is none: the stream cannot be followed any more. */
export function usbipCommands(receive: (command: UsbipCommand) => void): (chunk: Uint8Array) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (let parsed = parseCommand(rest); parsed; parsed = parseCommand(rest)) {
      rest = rest.subarray(parsed.consumed);
      receive(parsed.command);
    }
  };
}

function parseCommand(bytes: Buffer): { command: UsbipCommand; consumed: number } | undefined {
  if (bytes.length < headerLength) return undefined;
  const code = bytes.readUInt32BE(0);
  const sequence = bytes.readUInt32BE(4);
  if (code === commandCodes.unlink) {
    return { command: { command: "unlink", sequence, target: bytes.readUInt32BE(20) }, consumed: headerLength };
  }
  if (code !== commandCodes.submit) throw new RangeError(`USB/IP command ${code} is unknown`);
  const direction = bytes.readUInt32BE(12) === 1 ? "in" : "out";
  const length = bytes.readUInt32BE(24);
  const consumed = headerLength + (direction === "out" ? length : 0);
  if (bytes.length < consumed) return undefined;
  const setup = {
    requestType: bytes.readUInt8(40),
    request: bytes.readUInt8(41),
    value: bytes.readUInt16LE(42),
    index: bytes.readUInt16LE(44),
    length: bytes.readUInt16LE(46),
  };
  const data = Uint8Array.from(bytes.subarray(headerLength, consumed));
  return { command: { command: "submit", sequence, direction, endpoint: bytes.readUInt32BE(16), length, setup, data }, consumed };
}

/** A finished transfer: `status` 0 or a negative errno, `length` the bytes that went either way, `data` those that came in. */
export function submitReply(sequence: number, { status, length, data }: { status: number; length: number; data?: Uint8Array }): Uint8Array {
  const header = Buffer.alloc(headerLength);
  header.writeUInt32BE(replyCodes.submit, 0);
  header.writeUInt32BE(sequence, 4);
  header.writeInt32BE(status, 20);
  header.writeUInt32BE(length, 24);
  return data ? Buffer.concat([header, data]) : header;
}

/** `status` is -ECONNRESET when the transfer was still waiting and is now forgotten, 0 when it had been answered. */
export function unlinkReply(sequence: number, status: number): Uint8Array {
  const header = Buffer.alloc(headerLength);
  header.writeUInt32BE(replyCodes.unlink, 0);
  header.writeUInt32BE(sequence, 4);
  header.writeInt32BE(status, 20);
  return header;
}
