/** The relay's links as they are written: by the interface's name, by a pattern of names, or by VLAN id. */
import { quoted } from "./config-problem.ts";
import { nearest } from "./nearest.ts";

export interface WrittenLink {
  readonly name?: string;
  readonly interface?: string;
  readonly vlan?: number;
}

/** A link as the relay looks for it. */
export type LinkSelector = { readonly name?: string; readonly interface: string } | { readonly name?: string; readonly vlan: number };

export function toLinkSelector({ name, interface: device, vlan }: WrittenLink): LinkSelector {
  const named = name === undefined ? {} : { name };
  return vlan === undefined ? { ...named, interface: device ?? "" } : { ...named, vlan };
}

/** What rules call the link; undefined for a pattern without a name, each interface of which is a link by its own. */
function linkName({ name, interface: device, vlan }: WrittenLink): string | undefined {
  if (name !== undefined) return name;
  if (vlan !== undefined) return `vlan${vlan}`;
  return device?.includes("*") === true ? undefined : device;
}

/** Names and interfaces that are given twice: the link's index, and what is wrong with it. */
export function doubledLinks(links: readonly WrittenLink[]): readonly (readonly [number, string])[] {
  const names = new Set<string>();
  const places = new Set<string>();
  return links.flatMap((link, index) => {
    const name = linkName(link);
    const place = link.vlan === undefined ? `interface ${link.interface}` : `vlan ${link.vlan}`;
    const problem = name !== undefined && names.has(name) ? `is called ${quoted(name)}, as another link is` : undefined;
    const samePlace = places.has(place) ? `is ${place}, as another link is` : undefined;
    if (name !== undefined) names.add(name);
    places.add(place);
    const told = problem ?? samePlace;
    return told === undefined ? [] : [[index, told] as const];
  });
}

/** Whether these can be two links at least. */
export function canBeTwo(links: readonly WrittenLink[]): boolean {
  return links.length >= 2 || links.some((link) => linkName(link) === undefined);
}

/** What is wrong with a name in a rule that should be one of these links'. */
export function unknownLinkProblem(word: string, links: readonly WrittenLink[]): string | undefined {
  const names = links.flatMap((link) => linkName(link) ?? []);
  if (names.includes(word) || links.some((link) => linkName(link) === undefined && fits(link.interface ?? "", word))) return undefined;
  const meant = nearest(word, names);
  const known = names.length === 0 ? "" : `; links are ${names.join(", ")}`;
  return `is ${quoted(word)}, which is no link in relay.links${meant === undefined ? known : `; did you mean "${meant}"?`}`;
}

function fits(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[^A-Za-z0-9_]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}
