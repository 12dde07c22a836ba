/** Tells by little, for most messages, that all of them crosses: no names are put together, and nothing is made but the answer. */
import type { AddressFamily } from "../../core/relay.ts";
import { type DnsMessage, type DnsRecord, recordType } from "../dns/dns-message.ts";
import type { PairRules, RelaySubject, RuleDecision } from "../rules/relay-rule.ts";
import { aboutName } from "./about-name.ts";
import { isUsableAddress } from "./is-usable-address.ts";

export interface WholeCrossing {
  readonly pair: PairRules;
  readonly family: AddressFamily;
  onEgress(address: Uint8Array): boolean;
}

/** What a name is about, where that is plain to see. */
type Plain = ReturnType<typeof aboutName>;

/** Of the message at hand; counted, since an array that is emptied is made anew. */
const decisions: RuleDecision[] = [];
let decided = 0;
/** What was decided last: the parts of a message are mostly about one thing. */
let lastPlain: Plain;
let lastDecision: RuleDecision | undefined;

/**
 * True only where judging each part would let all of it cross, and then counted as that would; false says nothing. To be
 * asked where no host lives on both links and rules ask for nothing but services.
 */
export function crossesWhole(message: DnsMessage, context: WholeCrossing): boolean {
  decided = 0;
  lastPlain = undefined;
  for (const { name } of message.questions) {
    if (!allows(aboutName(name), message, context)) return false;
    // A probe, if anything stands beside the question that it could be about.
    if (!message.response && message.records.some(({ section }) => section === "authority")) return false;
  }
  for (const record of message.records) {
    if (record.type === recordType.OPT) continue;
    const plain = aboutName(record.name);
    if (!allows(plain, message, context) || !isPlain(record, plain) || !mayCross(record, message, context)) return false;
  }
  for (let index = 0; index < decided; index += 1) {
    const decision = decisions[index];
    if (decision !== undefined) decision.line.hits += 1;
  }
  return true;
}

/** Whether it is about nothing but its name. */
function isPlain({ type, target }: DnsRecord, plain: Plain): boolean {
  if (type === recordType.PTR) return target !== undefined && plain !== "host" && aboutName(target) === plain;
  return type !== recordType.SRV || target !== undefined;
}

function mayCross({ type, dataStart, end }: DnsRecord, { bytes }: DnsMessage, context: WholeCrossing): boolean {
  if (type !== recordType.A && type !== recordType.AAAA) return true;
  const address = type === recordType.A ? ipv4 : ipv6;
  if (end - dataStart !== address.length) return false;
  for (let index = 0; index < address.length; index += 1) address[index] = bytes[dataStart + index] ?? 0;
  return isUsableAddress(address) && !context.onEgress(address);
}

/** Made once; nobody who is asked about an address keeps it. */
const ipv4 = new Uint8Array(4);
const ipv6 = new Uint8Array(16);

function allows(plain: Plain, { response }: DnsMessage, { pair, family }: WholeCrossing): boolean {
  if (plain === undefined) return false;
  if (plain !== lastPlain) {
    lastPlain = plain;
    lastDecision = pair.decide(subjectOf(plain, family, response));
  }
  if (lastDecision?.allow !== true) return false;
  decisions[decided] = lastDecision;
  decided += 1;
  return true;
}

const nobody = new Uint8Array();
const subjects = new Map<string, RelaySubject>();
const mostSubjects = 1_024;

/** Who sends is left out: no rule asks. */
function subjectOf(plain: string, family: AddressFamily, response: boolean): RelaySubject {
  const key = response ? plain : `?${plain}`;
  const known = subjects.get(key);
  if (known?.family === family) return known;
  if (subjects.size >= mostSubjects) subjects.clear();
  const services = plain === "host" ? [] : [plain];
  const fresh: RelaySubject = { protocol: "mdns", family, direction: response ? "offer" : "ask", source: nobody, services };
  subjects.set(key, fresh);
  return fresh;
}
