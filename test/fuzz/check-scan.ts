/** What is told of a message by scanning it must be what reading it into records tells. */
import { isDeepStrictEqual } from "node:util";
import { recordType } from "../../src/relay/dns/dns-message.ts";
import { hashMessage } from "../../src/relay/dns/hash-message.ts";
import { readMessage } from "../../src/relay/dns/read-message.ts";
import { isHeartbeat } from "../../src/relay/election/heartbeat.ts";
import { aboutName } from "../../src/relay/mdns/about-name.ts";
import { type PlainMessage, scanMessage } from "../../src/relay/mdns/scan-message.ts";

/** Whether it was scanned. Throws TypeError when both ways differ. */
export function checkScan(packet: Uint8Array): boolean {
  const plain = scanMessage(packet);
  if (plain === undefined) return false;
  const told = tell(plain);
  const message = readMessage(packet);
  if ("fault" in message) throw new TypeError(`scanned, but not read: ${message.fault}`);
  const { response, questions, records } = message;
  const read = {
    response,
    content: hashMessage(message),
    parts: [...questions, ...records].map(({ name }) => aboutName(name)),
    addresses: records
      .filter(({ type }) => type === recordType.A || type === recordType.AAAA)
      .map(({ dataStart, end }) => [dataStart, end - dataStart]),
    unicastAt: questions.filter(({ unicastResponse }) => unicastResponse).map(({ end }) => end - 2),
  };
  if (!isDeepStrictEqual(told, read)) throw new TypeError(`scanned as ${JSON.stringify(told)}, read as ${JSON.stringify(read)}`);
  if (message.trailing || message.emptyTexts.length + message.unchecked.length > 0 || message.strayPointers === true) {
    throw new TypeError("what must be mended was scanned");
  }
  if (isHeartbeat(message)) throw new TypeError("a heartbeat was scanned");
  if (!response && records.some(({ section }) => section === "authority")) throw new TypeError("a probe was scanned");
  return true;
}

function tell({ response, content, parts, partCount, addresses, addressSizes, addressCount, unicastAt, unicastCount }: PlainMessage) {
  return {
    response,
    content,
    parts: parts.slice(0, partCount),
    addresses: [...addresses.subarray(0, addressCount)].map((start, index) => [start, addressSizes[index]]),
    unicastAt: [...unicastAt.subarray(0, unicastCount)],
  };
}
