/** A message in one line, for people who look why something was not found. */
import { printable } from "../../core/printable.ts";
import { type DnsMessage, type DnsName, type DnsQuestion, type DnsRecord, recordType } from "./dns-message.ts";
import { toLabelText } from "./dns-name.ts";

/** Longer names are cut in the middle, so that instance and domain are both seen. */
const nameLimit = 120;

const typeNames = new Map<number, string>(Object.entries(recordType).map(([name, type]) => [type, name]));

/**
 * What a message says, printable and of at most 200 UTF-16 units: `query _hap._tcp.local PTR (+1 known answer)`,
 * `response Living Room._airplay._tcp.local SRV (+3)`, `goodbye Printer._ipp._tcp.local PTR`, `probe host.local ANY`.
 */
export function describeMessage(message: DnsMessage): string {
  return message.response ? describeResponse(message.records) : describeQuery(message);
}

function describeResponse(records: readonly DnsRecord[]): string {
  const answers = records.filter(({ section }) => section === "answer");
  const [first] = answers.length > 0 ? answers : records;
  if (first === undefined) return "response";
  const what = answers.length > 0 && answers.every(({ ttl }) => ttl === 0) ? "goodbye" : "response";
  // What a pointer points to says more than where it hangs.
  const name = first.type === recordType.PTR && first.target !== undefined ? first.target : first.name;
  return `${what} ${describeName(name)} ${describeType(first.type)}${more(records.length - 1)}`;
}

function describeQuery({ questions, records, truncated }: DnsMessage): string {
  const known = records.filter(({ section }) => section === "answer").length;
  const isProbe = records.some(({ section }) => section === "authority");
  const answers = known === 0 ? "" : `${known} known answer${known === 1 ? "" : "s"}`;
  const [first] = questions;
  if (first === undefined) return `query continued: ${answers}`;
  const notes = [answers === "" ? "" : `(+${answers})`, truncated ? "(more follow)" : ""].filter((note) => note !== "");
  return [`${isProbe ? "probe" : "query"} ${describeQuestion(first)}${more(questions.length - 1)}`, ...notes].join(" ");
}

const describeQuestion = ({ name, type }: DnsQuestion): string => `${describeName(name)} ${describeType(type)}`;

const describeType = (type: number): string => typeNames.get(type) ?? `TYPE${type}`;

const more = (count: number): string => (count > 0 ? ` (+${count})` : "");

function describeName({ labels }: DnsName): string {
  const text = labels.length === 0 ? "." : printable(labels.map(toLabelText).join("."));
  if (text.length <= nameLimit) return text;
  const characters = Array.from(text);
  const half = nameLimit / 2;
  return `${characters.slice(0, half).join("")}…${characters.slice(1 - half).join("")}`;
}
