/** A message as it came: scanned, and read into records only where somebody asks for those. */
import type { DnsFault, DnsMessage } from "../dns/dns-message.ts";
import { hashMessage } from "../dns/hash-message.ts";
import { readMessage } from "../dns/read-message.ts";
import { type PlainMessage, scanMessage } from "./scan-message.ts";

/** Holds until the next message is heard. */
export class HeardMessage {
  /** Where it is plain. */
  readonly plain: PlainMessage | undefined;
  readonly response: boolean;
  readonly bytes: Uint8Array;
  private read: DnsMessage | undefined;
  private hashed: number | undefined;

  constructor(bytes: Uint8Array, plain: PlainMessage | undefined, read?: DnsMessage) {
    this.bytes = bytes;
    this.plain = plain;
    this.read = read;
    this.hashed = plain?.content;
    this.response = plain?.response ?? read?.response ?? false;
  }

  /** As `hashMessage` says. */
  get content(): number {
    return (this.hashed ??= hashMessage(this.message));
  }

  get message(): DnsMessage {
    if (this.read !== undefined) return this.read;
    const message = readMessage(this.bytes);
    this.read = "fault" in message ? nothingSaid : message;
    return this.read;
  }
}

/** What is scanned can be read. Should it ever not be, then nothing of it goes on. */
const nothingSaid: DnsMessage = {
  bytes: new Uint8Array(),
  id: 0,
  response: false,
  truncated: false,
  questions: [],
  records: [],
  trailing: false,
  emptyTexts: [],
  unchecked: [],
  strayPointers: true,
};

/** A heartbeat of relays is never plain. */
export function hearMessage(bytes: Uint8Array): HeardMessage | DnsFault {
  const plain = scanMessage(bytes);
  if (plain !== undefined) return new HeardMessage(bytes, plain);
  const message = readMessage(bytes);
  return "fault" in message ? message : new HeardMessage(bytes, undefined, message);
}
