/** The links that the relay works on. Other interfaces of a machine are none of the doctor's business. */
import type { Facts, Outcome } from "../../core/check.ts";
import type { RelayLinkStatus } from "../../core/relay.ts";

export const noRelay = "no relay is running here";

/** A link whose interface is there. */
export interface PresentLink extends RelayLinkStatus {
  readonly interface: string;
}

function presentLinks({ relay }: Facts): readonly PresentLink[] {
  return (relay?.links ?? []).flatMap((link) => (link.interface === undefined ? [] : [{ ...link, interface: link.interface }]));
}

/** Puts a question to each link whose interface is there. */
export function ofEachLink(facts: Facts, judge: (link: PresentLink) => Outcome): readonly Outcome[] | string {
  if (facts.relay === undefined) return noRelay;
  const links = presentLinks(facts);
  return links.length === 0 ? "none of the relay's links is there" : links.map(judge);
}

/** `lan`, or `lan (eth0)` where it is called otherwise. */
export function linkLabel({ name, interface: real }: RelayLinkStatus): string {
  return real === undefined || real === name ? name : `${name} (${real})`;
}

/** Whether an address of the link is of this family. */
export function hasFamily({ addresses }: RelayLinkStatus, family: 4 | 6): boolean {
  return addresses.some((address) => address.includes(":") === (family === 6));
}
