/** What of an mDNS message crosses from one link to another: by rules, by scope, and with regard to hosts that live on both. */
import type { AddressFamily, RelayVerdict } from "../../core/relay.ts";
import type { DnsCut, DnsMessage, DnsName } from "../dns/dns-message.ts";
import type { PairRules } from "../rules/relay-rule.ts";
import { dropOrphans } from "./drop-orphans.ts";
import { type MessageFacts, messageFacts } from "./message-facts.ts";

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

export const everythingCrosses: FilterResult = { cut: { droppedQuestions: new Set(), droppedRecords: new Set() }, dropped: {} };

/**
 * Judges every question (as asking) and every record (in responses as offering, else as asking).
 *
 * A probe may lose the records it proposes and keep its question. That is safe: who holds the name answers the question
 * alone (RFC 6762 §8.1). Who probes for it at the same moment takes it for a plain query, since there is nothing to
 * compare (§8.2); then both announce, and the conflict is settled as §9 says, with whatever of the announcements crosses.
 */
export function filterMessage(message: DnsMessage, context: FilterContext): FilterResult {
  const facts = messageFacts(message, context);
  const homes = createHomes(facts, context);
  const questions = judgeQuestions(message, facts, { context, homes });
  const records = judgeRecords(facts, { context, homes });
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
type Homes = (host: DnsName) => boolean;

/**
 * RFC 6762 §6.2: an address that is not valid on a link is not announced there, and §10.2: what is announced is the whole
 * truth. So where a host is at home it speaks for itself; copies of what it says elsewhere would flush that, and back.
 */
function createHomes(facts: MessageFacts, context: FilterContext): Homes {
  const known = new Map<string, boolean>();
  for (const { host, address, unusable } of facts.records) {
    if (host !== undefined && address !== undefined && !unusable && context.onEgress(address)) known.set(host.key, true);
  }
  return ({ key }) => {
    const found = known.get(key) ?? context.isMultiHomed(key);
    known.set(key, found);
    return found;
  };
}

function judgeQuestions(message: DnsMessage, facts: MessageFacts, { context, homes }: Judging): Drops {
  const drops: Drops = new Map();
  let proposed: ReadonlySet<string> | undefined;
  for (const [index, { subject, host, unusable }] of facts.questions.entries()) {
    if (unusable) drops.set(index, "scope");
    else if (!context.pair.allows(subject)) drops.set(index, "rule");
    else if (host !== undefined && homes(host)) {
      proposed ??= proposedNames(message);
      if (proposed.has(host.key)) drops.set(index, "multi-homed");
    }
  }
  return drops;
}

/** RFC 6762 §8.2: a probe proposes its records in the authority section. */
function proposedNames({ records }: DnsMessage): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { section, name } of records) if (section === "authority") names.add(name.key);
  return names;
}

function judgeRecords(facts: MessageFacts, { context, homes }: Judging): Drops {
  const drops: Drops = new Map();
  for (const [index, { role, subject, host, unusable }] of facts.records.entries()) {
    if (role === "option") continue;
    if (unusable) drops.set(index, "scope");
    else if (!context.pair.allows(subject)) drops.set(index, "rule");
    else if ((role === "address" || role === "host") && host !== undefined && homes(host)) drops.set(index, "multi-homed");
  }
  return drops;
}

/** Whether what is left says nothing by itself: a query without its questions, an answer without its records, options alone. */
function isSpent(message: DnsMessage, { records }: MessageFacts, drops: { questions: Drops; records: Drops }): boolean {
  const asked = message.questions.length;
  if (!message.response && asked > 0) return drops.questions.size === asked;
  return records.every(({ role }, index) => role === "option" || drops.records.has(index));
}
