/** Which radios are one resource. Pure. */
import { attachmentOf } from "../../core/device.ts";
import type { ResourceGroups } from "../../core/handover.ts";
import type { Radio } from "../../core/radio.ts";
import { givenNodes } from "./given-nodes.ts";

/** A DNS label (RFC 1123), as group names in the configuration are. */
const groupName = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** `zigbee-2` is what a container calls its second radio of the group `zigbee`. */
const numbered = /-[2-8]$/;

/**
 * The name of each group → its radios, by id. Every configured group is in it, with radios or without; a radio that fits none
 * is in a group named like its first kind, which is there as long as there is such a radio. What cannot be handed over is in no
 * group: what is on the network, what is not identified, what has no device node, and what would be in a group of no valid name.
 * Absent radios are in their group.
 */
export function groupRadios(radios: Iterable<Radio>, { groups }: ResourceGroups): ReadonlyMap<string, readonly Radio[]> {
  const grouped = new Map<string, Radio[]>(groups.map(({ name }) => [name, []]));
  for (const radio of radios) {
    const name = groupOf(radio, groups);
    if (name === undefined) continue;
    const members = grouped.get(name);
    if (members === undefined) grouped.set(name, [radio]);
    else members.push(radio);
  }
  for (const members of grouped.values()) members.sort(({ id: left }, { id: right }) => (left < right ? -1 : Number(left > right)));
  return grouped;
}

/** The extended resource that a group is: `radio.mi.house/zigbee`. */
export function resourceName(domain: string, group: string): string {
  return `${domain}/${group}`;
}

function groupOf(radio: Radio, groups: ResourceGroups["groups"]): string | undefined {
  const { device, identity, id, name } = radio;
  if (identity.state !== "identified" || attachmentOf(device) !== "local" || givenNodes(radio).length === 0) return undefined;
  return groupNameOf({ id, name, kinds: identity.kinds }, groups);
}

/** What decides on a radio's group, once it is one that can be handed over; of radios of other nodes no more is known. */
interface Grouped {
  readonly id: string;
  readonly name?: string | undefined;
  readonly kinds: readonly string[];
}

/** The name of the group that a radio is in, if it can be handed over at all; undefined where that would be no valid name. */
export function groupNameOf({ id, name, kinds }: Grouped, groups: ResourceGroups["groups"]): string | undefined {
  const fitting = groups.find(
    (group) =>
      group.radios.includes(id) || (name !== undefined && group.radios.includes(name)) || kinds.some((kind) => group.kinds.includes(kind)),
  );
  if (fitting !== undefined) return fitting.name;
  const [kind] = kinds;
  return kind !== undefined && groupName.test(kind) && !numbered.test(kind) ? kind : undefined;
}
