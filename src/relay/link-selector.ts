/** Which interfaces are links: by name, pattern or VLAN id. */
import type { NetworkLink } from "../host/network-links.ts";

/** `interface` may hold `*`, for any run of characters; each interface it matches is a link of its own name. */
export type LinkSelector = { readonly name?: string; readonly interface: string } | { readonly name?: string; readonly vlan: number };

export interface SelectedLink {
  /** What rules call it: the selector's name, else the interface's. */
  readonly name: string;
  /** Absent while no interface fits. */
  readonly link?: NetworkLink;
}

/**
 * The links these selectors stand for now, in their order, each interface once. A selector without a pattern is listed
 * also while nothing fits it. A named one takes the first interface that fits.
 */
export function selectLinks(selectors: readonly LinkSelector[], present: readonly NetworkLink[]): readonly SelectedLink[] {
  const taken = new Set<number>();
  const selected: SelectedLink[] = [];
  for (const selector of selectors) {
    const fitting = present.filter((link) => !link.loopback && !taken.has(link.index) && fits(selector, link));
    const chosen = isPattern(selector) && selector.name === undefined ? fitting : fitting.slice(0, 1);
    for (const link of chosen) {
      taken.add(link.index);
      selected.push({ name: selector.name ?? ("vlan" in selector ? `vlan${selector.vlan}` : link.name), link });
    }
    const name = nameOf(selector);
    if (chosen.length === 0 && name !== undefined) selected.push({ name });
  }
  return selected;
}

function fits(selector: LinkSelector, link: NetworkLink): boolean {
  return "vlan" in selector ? link.vlan === selector.vlan : matchesPattern(selector.interface, link.name);
}

function isPattern(selector: LinkSelector): boolean {
  return "interface" in selector && selector.interface.includes("*");
}

function nameOf(selector: LinkSelector): string | undefined {
  if (selector.name !== undefined) return selector.name;
  if ("vlan" in selector) return `vlan${selector.vlan}`;
  return isPattern(selector) ? undefined : selector.interface;
}

function matchesPattern(pattern: string, name: string): boolean {
  const [head = "", ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return pattern === name;
  if (!name.startsWith(head) || name.length < head.length + tail.length || !name.endsWith(tail)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > name.length - tail.length) return false;
    at = found + part.length;
  }
  return true;
}
