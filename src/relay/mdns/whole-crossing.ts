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

/** Of the message at hand; counted, since an array that is emptied is made anew. */
const decisions: RuleDecision[] = [];

/**
 * True only where judging each part would let all of it cross, and then counted as that would; false says nothing. To be
 * asked where no host lives on both links and rules ask for nothing but services. `bytes`: those that were scanned.
 */
export function crossesWhole(message: PlainMessage, bytes: Uint8Array, context: WholeCrossing): boolean {
  const { parts, partCount } = message;
  let about = "";
  let decision: RuleDecision | undefined;
  for (let index = 0; index < partCount; index += 1) {
    const part = parts[index] ?? "";
    // The parts of a message are mostly about one thing.
    if (part !== about) {
      about = part;
      decision = context.pair.decide(subjectOf(part, context.family, message.response));
    }
    if (decision?.allow !== true) return false;
    decisions[index] = decision;
  }
  if (!addressesCross(message, bytes, context)) return false;
  for (let index = 0; index < partCount; index += 1) {
    const each = decisions[index];
    if (each !== undefined) each.line.hits += 1;
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
