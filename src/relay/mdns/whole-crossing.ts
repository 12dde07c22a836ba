/** Tells by little, for most messages, that all of them crosses: no names are put together, and nothing is made but the answer. */
import type { AddressFamily } from "../../core/relay.ts";
import type { PairRules, RelaySubject, RuleDecision } from "../rules/relay-rule.ts";
import { isUsableAddress } from "./is-usable-address.ts";
import type { PlainMessage } from "./scan-message.ts";

export interface WholeCrossing {
  readonly pair: PairRules;
  readonly family: AddressFamily;
  onEgress(address: Uint8Array): boolean;
}

/** Of the message at hand: what decided, and for how many parts in a row. Counted, since an array that is emptied is made anew. */
const decisions: RuleDecision[] = [];
const lengths: number[] = [];

/**
 * True only where judging each part would let all of it cross, and then counted as that would; false says nothing. To be
 * asked where no host lives on both links and rules ask for nothing but services. `bytes`: those that were scanned.
 */
export function crossesWhole(message: PlainMessage, bytes: Uint8Array, context: WholeCrossing): boolean {
  const { parts, partCount } = message;
  let about = "";
  let last = -1;
  for (let index = 0; index < partCount; index += 1) {
    const part = parts[index] ?? "";
    // The parts of a message are mostly about one thing.
    if (part === about) lengths[last] = (lengths[last] ?? 0) + 1;
    else {
      about = part;
      const decision = decide(part, message.response, context);
      if (decision?.allow !== true) return false;
      last += 1;
      decisions[last] = decision;
      lengths[last] = 1;
    }
  }
  if (!addressesCross(message, bytes, context)) return false;
  for (let index = 0; index <= last; index += 1) {
    const decision = decisions[index];
    if (decision !== undefined) decision.line.hits += lengths[index] ?? 0;
  }
  return true;
}

function addressesCross({ addresses, addressSizes, addressCount }: PlainMessage, bytes: Uint8Array, context: WholeCrossing): boolean {
  for (let index = 0; index < addressCount; index += 1) {
    const start = addresses[index] ?? 0;
    const address = addressSizes[index] === ipv4.length ? ipv4 : ipv6;
    for (let at = 0; at < address.length; at += 1) address[at] = bytes[start + at] ?? 0;
    if (!isUsableAddress(address) || context.onEgress(address)) return false;
  }
  return true;
}

/** Made once; nobody who is asked about an address keeps it. */
const ipv4 = new Uint8Array(4);
const ipv6 = new Uint8Array(16);

interface Decided {
  readonly pair: PairRules;
  readonly part: string;
  readonly family: AddressFamily;
  readonly response: boolean;
  readonly decision: RuleDecision | undefined;
}

/** Rules of a pair never change; those that are changed are of another pair. */
const decided: (Decided | undefined)[] = Array.from<undefined>({ length: 16 });

function decide(part: string, response: boolean, { pair, family }: WholeCrossing): RuleDecision | undefined {
  const at = (part.length & 7) * 2 + (response ? 1 : 0);
  const known = decided[at];
  if (known?.pair === pair && known.part === part && known.family === family && known.response === response) return known.decision;
  const decision = pair.decide(subjectOf(part, family, response));
  decided[at] = { pair, part, family, response, decision };
  return decision;
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
