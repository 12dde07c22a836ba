/** Asks the links for services by type, so that who announced itself before aerial started is known soon too. */
import { channelsOf } from "./channels.ts";
import { recordType } from "./dns/dns-message.ts";
import { writeMessage } from "./dns/write-message.ts";
import type { RelayLink, RelayWire } from "./relay-wire.ts";

export interface ServiceQuestions {
  /** DNS-SD types, such as `_slzb-06._tcp`; asked for on all links from now on. */
  want(services: readonly string[], now: number): void;
  setLinks(links: readonly RelayLink[], now: number): void;
  tick(now: number): void;
  /** Infinity while there is nothing to ask. */
  nextTick(): number;
}

/** On a link that is new: soon, twice more in case one got lost (RFC 6762 §5.2 wants at least a second between). */
const firstMs = [100, 1_500, 5_000];
/** Well within the 75 minutes that PTR records usually hold (RFC 6762 §10). */
const everyMs = 30 * 60_000;
/** Of some 30 bytes each: they fit one packet. */
const mostTypes = 40;

const channels = channelsOf(["mdns"]);

export function createServiceQuestions(wire: Pick<RelayWire, "toGroup">): ServiceQuestions {
  let questions: Uint8Array | undefined;
  const links = new Map<string, { readonly link: RelayLink; dueAt: number; asked: number }>();

  return {
    want(services, now) {
      const types = services.slice(0, mostTypes).map((service) => `${service}.local`.split("."));
      questions = types.length === 0 ? undefined : writeMessage({ questions: types.map((name) => ({ name, type: recordType.PTR })) });
      for (const entry of links.values()) Object.assign(entry, { dueAt: now + (firstMs[0] ?? 0), asked: 0 });
    },
    setLinks(next, now) {
      const known = new Map(links);
      links.clear();
      for (const link of next) {
        const before = known.get(link.name);
        const same = before !== undefined && before.link.index === link.index && before.link.addresses.length === link.addresses.length;
        links.set(link.name, same ? { ...before, link } : { link, dueAt: now + (firstMs[0] ?? 0), asked: 0 });
      }
    },
    tick(now) {
      if (questions === undefined) return;
      for (const entry of links.values()) {
        if (entry.dueAt > now) continue;
        for (const channel of channels) wire.toGroup(entry.link, channel, questions);
        const before = firstMs[entry.asked] ?? 0;
        entry.asked += 1;
        const next = firstMs[entry.asked];
        entry.dueAt = now + (next === undefined ? everyMs : next - before);
      }
    },
    nextTick: () => (questions === undefined ? Infinity : Math.min(Infinity, ...[...links.values()].map(({ dueAt }) => dueAt))),
  };
}
