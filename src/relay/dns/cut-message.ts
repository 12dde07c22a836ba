/** What of a message goes on, packed anew where that cannot be helped. */
import { type DnsCut, type DnsMessage, type DnsQuestion, type DnsRecord, type DnsSection, recordType } from "./dns-message.ts";
import { datagramLimit, headerLength, PacketWriter, type WriterMark, type WrittenRecord } from "./packet-writer.ts";
import { toReadName } from "./read-name.ts";

export interface CutLimits {
  /** Bytes of UDP payload that the link takes in one piece. */
  readonly maximum?: number | undefined;
}

const unicastBit = 0x80;
/** Of a packet whose pointers lead to where no name was written. */
const mostGrowth = 2;
const writer = new PacketWriter();

/**
 * The packets that carry what `cut` leaves of a message; none where that says nothing any more: a response without answers, a
 * query without questions.
 *
 * Questions lose QU, since the answer must come by multicast to be relayed (RFC 6762 §5.4). Everything else stays as it is, byte by
 * byte if possible; where a record is taken out, pointers to names are made anew (RFC 6762 §18.14). What is longer than `maximum` is
 * split between records: responses into responses, known answers over packets with TC (RFC 6762 §7.2). Probes are never split, since
 * a part of one loses tie-breaks (RFC 6762 §8.2); and a record that is too long goes alone.
 */
export function cutMessage(message: DnsMessage, cut: DnsCut, { maximum = datagramLimit }: CutLimits = {}): readonly Uint8Array[] {
  const cutting = cut.droppedQuestions.size > 0 || cut.droppedRecords.size > 0 || message.unchecked.length > 0;
  const mending = message.emptyTexts.length > 0 || message.strayPointers === true;
  const limit = Math.min(maximum, datagramLimit);
  if (!cutting && !mending && message.bytes.length <= limit) return [withoutUnicast(message)];
  return new Cutter(message, cut, limit).cut();
}

/** The packet itself if no question in it has QU. */
function withoutUnicast({ bytes, questions }: DnsMessage): Uint8Array {
  let copy: Uint8Array | undefined;
  for (const { unicastResponse, end } of questions) {
    if (!unicastResponse) continue;
    // Not `slice`, which in a Buffer copies nothing.
    copy ??= new Uint8Array(bytes);
    copy[end - 2] = (copy[end - 2] ?? 0) & ~unicastBit;
  }
  return copy ?? bytes;
}

class Cutter {
  private readonly message: DnsMessage;
  private readonly limit: number;
  private readonly questions: readonly DnsQuestion[];
  private readonly kept: Readonly<Record<DnsSection, readonly DnsRecord[]>>;
  private readonly packets: Uint8Array[] = [];

  constructor(message: DnsMessage, cut: DnsCut, limit: number) {
    const kept: Record<DnsSection, DnsRecord[]> = { answer: [], authority: [], additional: [] };
    const unchecked = new Set(message.unchecked);
    message.records.forEach((record, index) => {
      if (!cut.droppedRecords.has(index) && !unchecked.has(index)) kept[record.section].push(record);
    });
    this.message = message;
    this.kept = kept;
    this.questions = message.questions.filter((_, index) => !cut.droppedQuestions.has(index));
    this.limit = !message.response && kept.authority.length > 0 ? datagramLimit : limit;
  }

  cut(): readonly Uint8Array[] {
    const { message, packets } = this;
    if (!this.isWorthwhile()) return [];
    writer.begin(message.bytes);
    for (const question of this.questions) this.addQuestion(question);
    for (const record of this.kept.answer) this.addRecord(record, "answer");
    if (message.response) this.addMore();
    else this.addToLast();
    if (!writer.empty) packets.push(writer.finish());
    const isProbe = !message.response && this.kept.authority.length > 0;
    return (isProbe && packets.length > 1) || this.hasSwollen() ? [] : packets;
  }

  /** Thousands of names in a few bytes, one inside the other, are a way to have the relay send more than it was sent. */
  private hasSwollen(): boolean {
    const { message, packets } = this;
    return message.strayPointers === true && packets.reduce((sum, { length }) => sum + length, 0) > message.bytes.length * mostGrowth;
  }

  private isWorthwhile(): boolean {
    const { message, kept, questions } = this;
    if (message.response) {
      if (message.records.some(({ section }) => section === "answer")) return kept.answer.length > 0;
      return kept.authority.length + kept.additional.length > 0;
    }
    return message.questions.length > 0 ? questions.length > 0 : kept.answer.length > 0;
  }

  private addMore(): void {
    for (const record of this.kept.authority) this.addRecord(record, "authority");
    for (const record of this.kept.additional) {
      if (record.type === recordType.OPT) this.addIfItFits(record);
      else this.addRecord(record, "additional");
    }
  }

  /** A probe's authority is whole; additional records of a query that do not fit help nobody. */
  private addToLast(): void {
    for (const record of this.kept.authority) this.addRecord(record, "authority");
    for (const record of this.kept.additional) this.addIfItFits(record);
  }

  private addIfItFits(record: DnsRecord): void {
    const mark = writer.mark();
    writer.addRecord(toWritten(this.message, record));
    if (writer.length > this.limit) writer.rollBack(mark);
    else writer.count("additional");
  }

  private addQuestion({ name, type, class: dnsClass }: DnsQuestion): void {
    const write = (): void => writer.addQuestion(toReadName(name), type, dnsClass);
    this.add(write, "question");
  }

  private addRecord(record: DnsRecord, section: DnsSection): void {
    const written = toWritten(this.message, record);
    this.add(() => writer.addRecord(written), section);
  }

  /**
   * Into this packet, or into the next if it is full. What does not fit beside a response's answers is made an answer itself,
   * since without one a response says nothing.
   */
  private add(write: () => void, section: DnsSection | "question"): void {
    let mark = writer.mark();
    const mayWait = !writer.empty;
    write();
    if (writer.length > this.limit && mayWait) {
      writer.rollBack(mark);
      this.endPacket();
      mark = writer.mark();
      write();
    }
    if (writer.length > datagramLimit) writer.rollBack(mark);
    else writer.count(section !== "question" && this.mustAnswer(mark) ? "answer" : section);
  }

  private mustAnswer({ length }: WriterMark): boolean {
    return this.message.response && this.packets.length > 0 && length === headerLength;
  }

  private endPacket(): void {
    if (!this.message.response) writer.setTruncated();
    this.packets.push(writer.finish());
    writer.begin(this.message.bytes);
  }
}

function toWritten({ bytes }: DnsMessage, { name, type, dataStart, end, dataNames }: DnsRecord): WrittenRecord {
  return { name: toReadName(name), source: bytes, type, dataStart, end, dataNames: dataNames.map(toReadName) };
}
