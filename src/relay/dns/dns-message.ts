/** A DNS message as read from a packet: where everything is, so that what is kept can be copied and not made anew. */

/** A name: `labels` as raw bytes in latin1, `key` in ASCII lower case with `.` and `\` in labels escaped, without a last dot. */
export interface DnsName {
  readonly labels: readonly string[];
  readonly key: string;
}

export interface DnsQuestion {
  readonly name: DnsName;
  readonly type: number;
  /** Without the top bit. */
  readonly class: number;
  /** The top bit of the class: QU (RFC 6762 §5.4). */
  readonly unicastResponse: boolean;
  readonly start: number;
  readonly end: number;
}

export type DnsSection = "answer" | "authority" | "additional";

export interface DnsRecord {
  readonly section: DnsSection;
  readonly name: DnsName;
  readonly type: number;
  /** Without the top bit; for OPT the whole field. */
  readonly class: number;
  /** The top bit of the class: cache-flush (RFC 6762 §10.2). */
  readonly flush: boolean;
  /** Seconds; 0 says goodbye. */
  readonly ttl: number;
  readonly start: number;
  readonly end: number;
  readonly dataStart: number;
  /** PTR, CNAME, SRV: the name in the data. */
  readonly target?: DnsName | undefined;
  /** Every name in the data, in order. */
  readonly dataNames: readonly DnsName[];
}

export interface DnsMessage {
  /** The packet up to the end of the message; bytes after it are left out. */
  readonly bytes: Uint8Array;
  readonly id: number;
  readonly response: boolean;
  /** TC: more known answers follow (RFC 6762 §7.2). */
  readonly truncated: boolean;
  readonly questions: readonly DnsQuestion[];
  readonly records: readonly DnsRecord[];
  /** Bytes followed the message. */
  readonly trailing: boolean;
  /** Indexes into `records` of TXT records without data, which RFC 6763 §6.1 forbids and tells to read as one empty string. */
  readonly emptyTexts: readonly number[];
  /** Indexes into `records` of records whose data has a form that is not checked here. Nobody can vouch for them, so they go no further. */
  readonly unchecked: readonly number[];
  /** Pointers lead to where no name was written. Such a packet is packed anew, since a bit that is changed in it may be part of a name. */
  readonly strayPointers?: boolean;
}

/** Why a packet is no DNS message, in a few words. */
export interface DnsFault {
  readonly fault: string;
}

/** What of a message goes on. All indexes are into `questions` and `records`; what is not named is kept. */
export interface DnsCut {
  readonly droppedQuestions: ReadonlySet<number>;
  readonly droppedRecords: ReadonlySet<number>;
}

/** Resource record types (IANA DNS parameters). */
export const recordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  PTR: 12,
  HINFO: 13,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  NSEC: 47,
  ANY: 255,
} as const;
