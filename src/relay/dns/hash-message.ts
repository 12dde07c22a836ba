/** What tells an echo: the content of a message, whatever it is packed in. */
import { ContentHash } from "./content-hash.ts";
import { type DnsCut, type DnsMessage, type DnsRecord, recordType } from "./dns-message.ts";
import { endOfName, part, rdataLayout } from "./rdata-layout.ts";
import { toReadName } from "./read-name.ts";

const item = new ContentHash();
const whole = new ContentHash();

/** Apart from what types and sections are numbered. */
export const questionMark = 0x1_0000;
export const sections = { answer: 1, authority: 2, additional: 3 } as const;

/**
 * 53 bits that are the same for the same content: for copies with other compression, with QU taken out, in another order, with
 * another case of names, with counted down TTLs, or without what `cut` takes out or what goes no further anyway. In responses, answers and additional records are one.
 * A goodbye (TTL 0) is another content than an announcement; the id counts where it is not zero, since then it is a legacy asker's.
 * Holds for this process only.
 */
export function hashMessage(message: DnsMessage, cut?: DnsCut): number {
  const { bytes, questions, records, response, id, unchecked } = message;
  let high = 0;
  let low = 0;
  for (let index = 0; index < questions.length; index += 1) {
    const question = questions[index];
    if (question === undefined || cut?.droppedQuestions.has(index) === true) continue;
    item.reset();
    toReadName(question.name).feed(item);
    item.addNumber(question.type + questionMark);
    item.addNumber(question.class);
    item.finish();
    high = (high + item.high) | 0;
    low = (low + item.low) | 0;
  }
  let nextUnchecked = 0;
  for (let index = 0; index < records.length; index += 1) {
    if (unchecked[nextUnchecked] === index) {
      nextUnchecked += 1;
      continue;
    }
    const record = records[index];
    if (record === undefined || cut?.droppedRecords.has(index) === true) continue;
    addRecord({ bytes, record, section: response && record.section === "additional" ? sections.answer : sections[record.section] });
    high = (high + item.high) | 0;
    low = (low + item.low) | 0;
  }
  return wholeHash({ response, id, high, low });
}

/** `high` and `low`: the sums of what the questions and records come to. */
export function wholeHash({ response, id, high, low }: Sums): number {
  whole.reset();
  whole.addNumber(response ? 1 : 0);
  whole.addNumber(id);
  whole.addNumber(high);
  whole.addNumber(low);
  whole.finish();
  return whole.toNumber();
}

interface Sums {
  readonly response: boolean;
  readonly id: number;
  readonly high: number;
  readonly low: number;
}

/** The same for bytes that are no DNS message: only equal bytes are alike. */
export function hashBytes(bytes: Uint8Array): number {
  whole.reset();
  whole.addBytes(bytes, 0, bytes.length);
  whole.addNumber(bytes.length);
  whole.finish();
  return whole.toNumber();
}

interface RecordPlace {
  readonly bytes: Uint8Array;
  readonly record: DnsRecord;
  readonly section: number;
}

function addRecord({ bytes, record, section }: RecordPlace): void {
  const { name, type, dataStart, end, dataNames } = record;
  item.reset();
  toReadName(name).feed(item);
  item.addNumber(type);
  item.addNumber(record.flush ? record.class + questionMark : record.class);
  item.addNumber(record.ttl === 0 ? section : -section);
  let offset = dataStart;
  if (type === recordType.TXT && dataStart === end) item.addBytes(oneEmptyText, 0, 1);
  else if (dataNames.length > 0) {
    let nameIndex = 0;
    for (const step of rdataLayout(type)) {
      const dataName = step === part.name ? dataNames[nameIndex] : undefined;
      if (dataName === undefined) {
        const next = step >= 0 ? offset + step : end;
        item.addBytes(bytes, offset, next);
        offset = next;
      } else {
        toReadName(dataName).feed(item);
        offset = endOfName(bytes, offset);
        nameIndex += 1;
      }
    }
  } else item.addBytes(bytes, dataStart, end);
  item.finish();
}

/** What data of no length stands for (RFC 6763 §6.1). */
const oneEmptyText = Uint8Array.of(0);
