/** Tells by little, for most messages, that all of them crosses: no names are put together, and nothing is made but the answer. */
import type { AddressFamily } from "../../core/relay.ts";
import { type DnsMessage, type DnsName, type DnsRecord, recordType } from "../dns/dns-message.ts";
import { ReadName } from "../dns/read-name.ts";
import type { PairRules, RelaySubject, RuleDecision } from "../rules/relay-rule.ts";
import { isUsableAddress } from "./is-usable-address.ts";

export interface WholeCrossing {
  readonly pair: PairRules;
  readonly family: AddressFamily;
  readonly onEgress: (address: Uint8Array) => boolean;
}

/** What a name is about, where that is plain to see: a service, or a host's name, which is about none. */
type Plain = string | undefined;

const decisions: RuleDecision[] = [];

/**
 * True only where judging each part would let all of it cross, and then counted as that would; false says nothing. To be
 * asked where no host lives on both links and rules ask for nothing but services.
 */
export function crossesWhole(message: DnsMessage, context: WholeCrossing): boolean {
  decisions.length = 0;
  for (const { name } of message.questions) {
    if (!allows(plainOf(name), message, context)) return false;
    // A probe, if anything stands beside the question that it could be about.
    if (!message.response && message.records.some(({ section }) => section === "authority")) return false;
  }
  for (const record of message.records) {
    if (record.type === recordType.OPT) continue;
    const plain = plainOf(record.name);
    if (!allows(plain, message, context) || !isPlain(record, plain) || !mayCross(record, message, context)) return false;
  }
  for (const { line } of decisions) line.hits += 1;
  return true;
}

/** Whether it is about nothing but its name. */
function isPlain({ type, target }: DnsRecord, plain: Plain): boolean {
  if (type === recordType.PTR) return target !== undefined && plain !== "host" && plainOf(target) === plain;
  return type !== recordType.SRV || target !== undefined;
}

function mayCross({ type, dataStart, end }: DnsRecord, { bytes }: DnsMessage, { onEgress }: WholeCrossing): boolean {
  if (type !== recordType.A && type !== recordType.AAAA) return true;
  const address = bytes.subarray(dataStart, end);
  return isUsableAddress(address) && !onEgress(address);
}

function allows(plain: Plain, { response }: DnsMessage, { pair, family }: WholeCrossing): boolean {
  if (plain === undefined) return false;
  const decision = pair.decide(subjectOf(plain, family, response));
  if (decision?.allow !== true) return false;
  decisions.push(decision);
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

/** By its last three labels. Upper case, and all that is not common, is left to those who take their time. */
function plainOf(name: DnsName): Plain {
  if (!(name instanceof ReadName)) return undefined;
  let third: ReadName | undefined;
  let second: ReadName | undefined;
  let top: ReadName | undefined;
  for (let at: ReadName | undefined = name; at?.rest !== undefined; at = at.rest) {
    third = second;
    second = top;
    top = at;
  }
  if (top?.label !== "local" || second === undefined) return undefined;
  const { label } = second;
  if (label !== "_tcp" && label !== "_udp") return label.startsWith("_") ? undefined : "host";
  if (third === undefined || !isServiceLabel(third.label)) return undefined;
  return label === "_tcp" ? `${third.label}._tcp` : `${third.label}._udp`;
}

const underscore = 0x5f;

/** `_hap`, in small letters; not `_dns-sd`, which speaks of all types. */
function isServiceLabel(label: string): boolean {
  if (label.charCodeAt(0) !== underscore || label === "_dns-sd") return false;
  for (let index = 1; index < label.length; index += 1) {
    const code = label.charCodeAt(index);
    const fine = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === underscore;
    if (!fine) return false;
  }
  return true;
}
