/** What of an mDNS message crosses from one link to another: by rules, by scope, and with regard to hosts that live on both. */
import type { AddressFamily, RelayVerdict } from "../../core/relay.ts";
import type { DnsCut, DnsMessage } from "../dns/dns-message.ts";
import type { PairRules, RelaySubject } from "../rules/relay-rule.ts";
import { dropOrphans } from "./drop-orphans.ts";
import { type MessageFacts, messageFacts, type Named } from "./message-facts.ts";

/** The crossing a message is held against. */
export interface FilterContext {
  readonly pair: PairRules;
  readonly family: AddressFamily;
  /** Who sent it; 4 or 16 bytes. */
  readonly source: Uint8Array;
  /** Whether an address lies in a prefix of the link it would cross to: then whoever has it is there already. */
  onEgress(address: Uint8Array): boolean;
  /** Whether the host, by the key of its name, is known to live on both links. */
  isMultiHomed(hostKey: string): boolean;
  /** Whether the host is known to have an address that can be used from elsewhere, though this message has none. */
  hasUsableAddress?(hostKey: string): boolean;
}

export type DropReason = Extract<RelayVerdict, "rule" | "scope" | "multi-homed">;

export interface FilterResult {
  readonly cut: DnsCut;
  /** Questions and records that stay behind, by why. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
}

const everythingCrosses: FilterResult = { cut: { droppedQuestions: new Set(), droppedRecords: new Set() }, dropped: {} };

/**
 * Judges every question (as asking) and every record (in responses as offering, else as asking).
 *
 * A probe may lose the records it proposes and keep its question. That is safe: who holds the name answers the question
 * alone (RFC 6762 §8.1). Who probes for it at the same moment takes it for a plain query, since there is nothing to
 * compare (§8.2); then both announce, and the conflict is settled as §9 says, with whatever of the announcements crosses.
 */
export function filterMessage(message: DnsMessage, context: FilterContext): FilterResult {
  const facts = messageFacts(message);
  const homes = createHomes(message, facts, context);
  const questions = judgeQuestions(message, facts, { context, homes });
  const records = judgeRecords(message, facts, { context, homes });
  if (questions.size === 0 && records.size === 0) return everythingCrosses;
  if (message.response) dropOrphans({ message, facts, records, hasUsableAddress: (host) => context.hasUsableAddress?.(host) === true });
  const dropped: Partial<Record<DropReason, number>> = {};
  for (const reason of [...questions.values(), ...records.values()]) dropped[reason] = (dropped[reason] ?? 0) + 1;
  const all = isSpent(message, facts, { questions, records }) ? message : undefined;
  const droppedQuestions = new Set((all?.questions ?? questions).keys());
  return { cut: { droppedQuestions, droppedRecords: new Set((all?.records ?? records).keys()) }, dropped };
}

/** Indexes of what is dropped, and why. */
type Drops = Map<number, DropReason>;

interface Judging {
  readonly context: FilterContext;
  readonly homes: Homes;
}

/** Whether a host lives on both links. */
type Homes = (hostKey: string) => boolean;

/**
 * RFC 6762 §6.2: an address that is not valid on a link is not announced there, and §10.2: what is announced is the whole
 * truth. So where a host is at home it speaks for itself; copies of what it says elsewhere would flush that, and back.
 */
function createHomes(message: DnsMessage, facts: MessageFacts, context: FilterContext): Homes {
  const known = new Map<string, boolean>();
  for (const { hostKey, address, unusable } of facts.records) {
    if (hostKey !== undefined && address !== undefined && !unusable && context.onEgress(address)) known.set(hostKey, true);
  }
  return (hostKey) => {
    const found = known.get(hostKey) ?? context.isMultiHomed(hostKey);
    known.set(hostKey, found);
    return found;
  };
}

function judgeQuestions(message: DnsMessage, facts: MessageFacts, { context, homes }: Judging): Drops {
  const drops: Drops = new Map();
  for (const [index, { named, hostKey, unusable }] of facts.questions.entries()) {
    if (unusable) drops.set(index, "scope");
    // An answer to a one-shot query repeats its question (RFC 6762 §6.7).
    else if (!context.pair.allows(subject(named, message.response ? "offer" : "ask", context))) drops.set(index, "rule");
    else if (hostKey !== undefined && isProbed(message, hostKey) && homes(hostKey)) drops.set(index, "multi-homed");
  }
  return drops;
}

/** RFC 6762 §8.2: a probe proposes its records in the authority section. */
function isProbed(message: DnsMessage, key: string): boolean {
  return message.records.some(({ section, name }) => section === "authority" && name.key === key);
}

function judgeRecords(message: DnsMessage, facts: MessageFacts, { context, homes }: Judging): Drops {
  const drops: Drops = new Map();
  const direction = message.response ? "offer" : "ask";
  for (const [index, { role, named, hostKey, unusable }] of facts.records.entries()) {
    if (role === "option") continue;
    const isHosts = role === "address" || role === "host";
    if (unusable) drops.set(index, "scope");
    else if (!context.pair.allows(subject(named, direction, context))) drops.set(index, "rule");
    else if (isHosts && hostKey !== undefined && homes(hostKey)) drops.set(index, "multi-homed");
  }
  return drops;
}

function subject(named: Named, direction: RelaySubject["direction"], { family, source }: FilterContext): RelaySubject {
  return { ...named, protocol: "mdns", family, direction, source };
}

/** Whether what is left says nothing by itself: a query without its questions, an answer without its records, options alone. */
function isSpent(message: DnsMessage, { records }: MessageFacts, drops: { questions: Drops; records: Drops }): boolean {
  const asked = message.questions.length;
  if (!message.response && asked > 0) return drops.questions.size === asked;
  return records.every(({ role }, index) => role === "option" || drops.records.has(index));
}
