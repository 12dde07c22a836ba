/** Which radios that pods of this node hold are not plugged in here, and where they are instead. Pure. */
import type { ClusterRadios } from "../../core/cluster-radio.ts";
import type { RadioAssignment } from "../../core/handover.ts";
import type { Snapshot } from "../../core/radio.ts";

export interface AwayRadio {
  readonly id: string;
  /** Milliseconds since the epoch; undefined where it is not known. */
  readonly since: number | undefined;
  /**
   * Whether the same id on another node is the same radio: ids made from a serial number are, those made from a port stand
   * for whatever is in a port of that name.
   */
  readonly isSameElsewhere: boolean;
  readonly holders: readonly RadioAssignment[];
}

/** None before the first whole scan. */
export function awayRadios(holders: readonly RadioAssignment[], snapshot: Snapshot): readonly AwayRadio[] {
  if (!snapshot.complete) return [];
  const byRadio = new Map<string, RadioAssignment[]>();
  for (const holder of holders) {
    if (snapshot.radios.get(holder.radioId)?.presence === "present") continue;
    byRadio.set(holder.radioId, [...(byRadio.get(holder.radioId) ?? []), holder]);
  }
  return [...byRadio].map(([id, held]) => {
    const radio = snapshot.radios.get(id);
    const since = Date.parse(radio?.absentSince ?? "");
    return { id, since: Number.isNaN(since) ? undefined : since, isSameElsewhere: radio?.idBasis === "serial", holders: held };
  });
}

/**
 * The other nodes that have a radio now, by its id. A node that is not ready is left out: its list may be old, and nothing
 * would start there.
 */
export function placesElsewhere({ nodes, radios }: ClusterRadios, node: string): ReadonlyMap<string, string> {
  const ready = new Set(nodes.filter((one) => one.ready && one.name !== node).map(({ name }) => name));
  return new Map(radios.filter((radio) => radio.state !== "absent" && ready.has(radio.node)).map((radio) => [radio.id, radio.node]));
}
