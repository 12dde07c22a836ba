/** What is left of a response without that which gave it sense, and so stays behind too. */
import type { DnsMessage } from "../dns/dns-message.ts";
import type { DropReason } from "./filter-message.ts";
import type { MessageFacts } from "./message-facts.ts";

export interface Trimming {
  readonly message: DnsMessage;
  readonly facts: MessageFacts;
  /** Indexes of the records dropped so far, and why. More are added. */
  readonly records: Map<number, DropReason>;
  hasUsableAddress(hostKey: string): boolean;
}

/** Of records that belong together: whether any is left, and why not; `scope` only where that took all of them. */
interface Fate {
  kept: boolean;
  reason?: DropReason;
}

/**
 * In this order: the SRV records of hosts none of whose addresses can be used from elsewhere (RFC 8766 §5.5.2); what
 * points at, describes or accompanies instances without their SRV record; the records of hosts that only such SRV records
 * target. A goodbye is held back by rules alone: said of what never crossed it does no harm, and of what once did it must cross.
 */
export function dropOrphans(trimming: Trimming): void {
  dropUnreachable(trimming);
  const servers = fatesBy(trimming, ({ role, instance }) => (role === "server" ? instance?.key : undefined));
  drop(trimming, ({ role, instance }) => (role === "pointer" || role === "instance" ? servers.get(instance?.key ?? "") : undefined));
  const targets = fatesBy(trimming, ({ role, host }) => (role === "server" ? host?.key : undefined));
  drop(trimming, ({ role, host }) => (role === "address" || role === "host" ? targets.get(host?.key ?? "") : undefined));
  dropDeviceInfo(trimming);
}

type Facts = MessageFacts["records"][number];

function dropUnreachable(trimming: Trimming): void {
  const addresses = fatesBy(trimming, ({ role, host }) => (role === "address" ? host?.key : undefined));
  const isUnreachable = (hostKey: string): boolean => addresses.get(hostKey)?.reason === "scope" && !trimming.hasUsableAddress(hostKey);
  drop(trimming, ({ role, host }) => {
    if ((role !== "server" && role !== "host") || host === undefined || !isUnreachable(host.key)) return undefined;
    return addresses.get(host.key);
  });
}

/** `_device-info._tcp` only says more of a host that offers something else under the same name. */
function dropDeviceInfo(trimming: Trimming): void {
  const isInfo = ({ subject }: Facts): boolean => subject.services[0] === "_device-info._tcp";
  if (!trimming.facts.records.some(isInfo)) return;
  const others = fatesBy(trimming, (facts) => (isInfo(facts) ? undefined : facts.subject.instance));
  drop(trimming, (facts) => (isInfo(facts) ? others.get(facts.subject.instance ?? "") : undefined));
}

function fatesBy({ facts, records }: Trimming, keyOf: (record: Facts) => string | undefined): ReadonlyMap<string, Fate> {
  const fates = new Map<string, Fate>();
  for (const [index, record] of facts.records.entries()) {
    const key = keyOf(record);
    if (key === undefined) continue;
    const fate = fates.get(key) ?? { kept: false };
    const reason = records.get(index);
    if (reason === undefined) fate.kept = true;
    else if (fate.reason === undefined || fate.reason === "scope") fate.reason = reason;
    fates.set(key, fate);
  }
  return fates;
}

/** Drops what shares the fate of others none of which is left. */
function drop({ message, facts, records }: Trimming, fateOf: (record: Facts) => Fate | undefined): void {
  for (const [index, record] of facts.records.entries()) {
    if (records.has(index)) continue;
    const fate = fateOf(record);
    if (fate === undefined || fate.kept || fate.reason === undefined) continue;
    if (fate.reason === "rule" || message.records[index]?.ttl !== 0) records.set(index, fate.reason);
  }
}
